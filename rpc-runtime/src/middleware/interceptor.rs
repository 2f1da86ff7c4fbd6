//! Interceptors: a function ahead of every call.

use crate::{Context, Status};

/// Sees a call ahead of its body, and lets it pass or refuses it.
///
/// `C` is [`Context`] on a server and [`Outbound`](super::Outbound) on a client. A closure is one; the type of its
/// argument has to be written out:
///
/// ```
/// use rpc_runtime::{Context, Server, Status};
///
/// # #[derive(Clone)]
/// struct Tenant(String);
///
/// let server = Server::builder().interceptor(|cx: &mut Context| {
///     let tenant = cx.metadata().get("tenant").ok_or_else(|| Status::unauthenticated("no tenant"))?;
///     let tenant = Tenant(tenant.to_owned());
///     // For the handler: `cx.extensions().get::<Tenant>()`.
///     cx.extensions_mut().insert(tenant);
///     Ok(())
/// });
/// # let _ = server;
/// ```
///
/// It runs where the request was read, before anything of it is decoded: it should not wait, nor compute for long. What
/// has to wait is a [layer](super).
pub trait Interceptor<C = Context>: Send + Sync + 'static {
    /// Looks at a call.
    ///
    /// # Errors
    ///
    /// The status that the call is answered with instead. On a client nothing is sent then.
    fn intercept(&self, call: &mut C) -> Result<(), Status>;
}

impl<C, F> Interceptor<C> for F
where
    F: Fn(&mut C) -> Result<(), Status> + Send + Sync + 'static,
{
    fn intercept(&self, call: &mut C) -> Result<(), Status> {
        self(call)
    }
}
