//! Guards: who may call a method, decided before the body is decoded or with the decoded request.
//!
//! A contract names its guards; a server registers what they do, and does not start while one is missing. Guards stand
//! above the transport: whatever a call came over, it passes them in `dispatch`.

mod registry;

use std::future::Future;

pub(crate) use registry::{ErasedGuard, Guards, RequestGuards};

use crate::{Context, Status};

/// A check that a call passes before its body is decoded.
///
/// A closure is one, which answers at once:
///
/// ```
/// use rpc_runtime::{Context, Server, Status};
///
/// let server = Server::builder().guard("admin", |cx: &Context| match cx.identity() {
///     Some(identity) if identity.has_role("admin") => Ok(()),
///     Some(_) => Err(Status::permission_denied("this is for administrators")),
///     None => Err(Status::unauthenticated("log in first")),
/// });
/// # let _ = server;
/// ```
///
/// They run behind [rates](crate::RateLimit) and interceptors, and in front of layers and of everything that is done with the
/// body; see [`middleware`](crate::middleware) for what runs when. A guard that panics ends its call with INTERNAL; the refusal
/// of a one-way call, which nobody is told of, is [counted](crate::Counters).
///
/// A method with guards needs no `auth` beside them; one that has both is refused to anonymous clients before its guards
/// are asked. Guards are asked in the order of the contract, those of the service before those of the method; the first
/// that refuses ends it.
pub trait Guard: Send + Sync + 'static {
    /// Looks at a call: its session, method, metadata, identity, and the parts of the path that have names. Trailing
    /// metadata that it sets goes with the answer, also with its own refusal.
    ///
    /// The future is dropped when the client cancels the call or goes away, and when the call's deadline passes.
    ///
    /// # Errors
    ///
    /// The status that the call is answered with: UNAUTHENTICATED where somebody else may know the client,
    /// PERMISSION_DENIED where that would not help.
    fn check(&self, cx: &Context) -> impl Future<Output = Result<(), Status>> + Send;

    /// The same at once, where nothing has to be waited for, such as an answer that is remembered: a call whose guards all
    /// answer at once takes no allocation for them. `None` asks [`check`](Self::check), and takes some. It runs where the
    /// request was read: it should not compute for long.
    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        let _ = cx;
        None
    }
}

impl<F> Guard for F
where
    F: Fn(&Context) -> Result<(), Status> + Send + Sync + 'static,
{
    async fn check(&self, cx: &Context) -> Result<(), Status> {
        self(cx)
    }

    fn check_now(&self, cx: &Context) -> Option<Result<(), Status>> {
        Some(self(cx))
    }
}

/// A check that a call passes with its decoded and validated request: whether this row is the caller's.
///
/// It is registered for a name and a type of request, and is asked for every method that names it and takes that type;
/// of a method that takes a stream, for every message before the handler has it: the first that is refused ends the stream
/// with the guard's status. Where a name stands for a [`Guard`] too, that is asked first, in its place.
///
/// A server does not start where a method names a guard that is neither registered nor registered for the method's type of
/// request. Of a CRUD service that type is the generated one, such as `AddTaskRequest`.
///
/// ```
/// use rpc_runtime::{Context, RequestGuard, Server, Status};
///
/// /// Lets users rename what is their own.
/// struct Own;
///
/// impl RequestGuard<String> for Own {
///     async fn check(&self, cx: &Context, request: &String) -> Result<(), Status> {
///         match cx.user() {
///             Some(user) if request.starts_with(user) => Ok(()),
///             _ => Err(Status::permission_denied("this is not yours")),
///         }
///     }
/// }
///
/// let server = Server::builder().request_guard("own", Own);
/// # let _ = server;
/// ```
pub trait RequestGuard<Q>: Send + Sync + 'static {
    /// Looks at a call and its request.
    ///
    /// The future is dropped when the client cancels the call or goes away, and when the call's deadline passes.
    ///
    /// # Errors
    ///
    /// The status that the call is answered with.
    fn check(&self, cx: &Context, request: &Q) -> impl Future<Output = Result<(), Status>> + Send;
}
