//! Who takes the calls of methods that no service has.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use rpc_protocol::{MethodRef, method_number};

use super::{Call, Reply};
use crate::Status;

/// Takes the calls of methods that no service of the endpoint has: messages that are known only when they come, another
/// server behind this one, an older contract.
///
/// What it is called with is what a [layer](crate::middleware) sees: the call's context, whose method
/// [`is_unknown`](crate::codegen::MethodDescriptor::is_unknown), and its body, encoded, which is a stream where the client
/// keeps its side open. It answers with one message or with a stream of them, as the caller expects it; only that one
/// knows the kind. Rates of the endpoint that are of no method, `require_authentication`, interceptors and layers hold as
/// for any call; of the limits, those on messages and windows, and on what requests take in memory as they came. A name of
/// more than 1 KiB is no method's: it is UNIMPLEMENTED, as without a fallback.
///
/// A closure is one:
///
/// ```
/// use rpc_runtime::{Server, Status, UnknownMethod, middleware::{Body, Call, Reply}};
///
/// let server = Server::builder().fallback(async |method: UnknownMethod, mut call: Call| {
///     match (method.name(), call.body()) {
///         // It sends back what it was sent, whatever that means.
///         (Some("legacy.Mirror/Reflect"), Body::Message(_)) => Ok(Reply::new(std::mem::take(call.body_mut()))),
///         _ => Err(Status::unimplemented("there is no such method, and never was")),
///     }
/// });
/// # let _ = server;
/// ```
pub trait Fallback: Send + Sync + 'static {
    /// Takes a call.
    ///
    /// The future, and the stream that it answers with, are dropped when the call is cancelled or out of time, or its
    /// client is gone.
    ///
    /// # Errors
    ///
    /// The status that the call is answered with. It does not count as a fault of the client, as an unknown method does
    /// without a fallback.
    fn call(&self, method: UnknownMethod, call: Call) -> impl Future<Output = Result<Reply, Status>> + Send;
}

impl<F, Fut> Fallback for F
where
    F: Fn(UnknownMethod, Call) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Status>> + Send,
{
    async fn call(&self, method: UnknownMethod, call: Call) -> Result<Reply, Status> {
        self(method, call).await
    }
}

/// A method that no service has, as its caller names it. Interceptors and layers find it in the extensions of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMethod {
    number: u64,
    name: Option<Arc<str>>,
}

impl UnknownMethod {
    pub(crate) fn new(method: &MethodRef) -> Self {
        match method {
            MethodRef::Number(number) => Self {
                number: *number,
                name: None,
            },
            MethodRef::Name(name) => Self {
                number: method_number(name),
                name: Some(name.as_str().into()),
            },
        }
    }

    /// The number by which it is called, or which belongs to the name: FNV-1a 64 of the full name.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The full name, where the call carries it; clients know most methods by their numbers. Empty where the call named none.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name:?}"),
            None => write!(f, "{:#018x}", self.number),
        }
    }
}

/// A fallback of any type.
pub(crate) trait ErasedFallback: Send + Sync {
    fn call(
        self: Arc<Self>,
        method: UnknownMethod,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>>;
}

impl<F: Fallback> ErasedFallback for F {
    fn call(
        self: Arc<Self>,
        method: UnknownMethod,
        call: Call,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>> {
        Box::pin(async move { Fallback::call(&*self, method, call).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_method_has_the_number_that_belongs_to_its_name() {
        let named = UnknownMethod::new(&MethodRef::Name("foobar".to_owned()));
        assert_eq!(
            (named.number(), named.name()),
            (0x8594_4171_f739_67e8, Some("foobar"))
        );
        assert_eq!(named.to_string(), "\"foobar\"");
        let numbered = UnknownMethod::new(&MethodRef::Number(0xff));
        assert_eq!((numbered.number(), numbered.name()), (0xff, None));
        assert_eq!(numbered.to_string(), "0x00000000000000ff");
    }
}
