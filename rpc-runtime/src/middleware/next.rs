//! What a layer is put around: the layers behind it and, behind those, the handlers or the connection.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context as TaskContext, Poll},
};

use tower_service::Service;

use super::{Call, Head, Reply, head::Outcome};
use crate::{Context, status::BoxError};

/// What a layer is put around: the layers behind it and, behind those, the method's handler or, on a client, the
/// connection.
///
/// It is a service for [`Call`]s that answers with a [`Reply`] or fails with the call's
/// [`Status`](crate::Status), on a client with a [`CallError`](crate::CallError).
pub struct Next<C: Head = Context>(Way<C>);

enum Way<C: Head> {
    /// No layers are left.
    End,
    Layer(Box<dyn CloneService<C>>),
}

/// A layer's service with its type erased.
trait CloneService<C: Head>: Send + Sync {
    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), C::Error>>;
    fn call(&mut self, call: Call<C>) -> Outcome<C>;
    fn boxed_clone(&self) -> Box<dyn CloneService<C>>;
}

impl<C: Head> Next<C> {
    /// What is behind all layers.
    pub(crate) fn end() -> Self {
        Self(Way::End)
    }

    /// A layer's service.
    pub(super) fn layer<S>(service: S) -> Self
    where
        S: Service<Call<C>, Response = Reply> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
    {
        Self(Way::Layer(Box::new(Erased(service))))
    }

    /// Makes a call, on a clone: layers share what they share between clones.
    pub(crate) async fn run(mut self, call: Call<C>) -> Result<Reply, C::Error> {
        poll_fn(|cx| self.poll_ready(cx)).await?;
        self.call(call).await
    }
}

impl<C: Head> Service<Call<C>> for Next<C> {
    type Response = Reply;
    type Error = C::Error;
    type Future = NextFuture<C>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), C::Error>> {
        match &mut self.0 {
            Way::End => Poll::Ready(Ok(())),
            Way::Layer(service) => service.poll_ready(cx),
        }
    }

    fn call(&mut self, call: Call<C>) -> NextFuture<C> {
        NextFuture(match &mut self.0 {
            Way::End => C::serve(call),
            Way::Layer(service) => service.call(call),
        })
    }
}

impl<C: Head> Clone for Next<C> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Way::End => Way::End,
            Way::Layer(service) => Way::Layer(service.boxed_clone()),
        })
    }
}

impl<C: Head> fmt::Debug for Next<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// The outcome of [`Next`]. Dropping it cancels the call.
#[must_use = "a call goes on when it is polled"]
pub struct NextFuture<C: Head = Context>(Outcome<C>);

impl<C: Head> Future for NextFuture<C> {
    type Output = Result<Reply, C::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<C: Head> fmt::Debug for NextFuture<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextFuture").finish_non_exhaustive()
    }
}

struct Erased<S>(S);

impl<C, S> CloneService<C> for Erased<S>
where
    C: Head,
    S: Service<Call<C>, Response = Reply> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), C::Error>> {
        self.0.poll_ready(cx).map_err(|error| C::error_of(error.into()))
    }

    fn call(&mut self, call: Call<C>) -> Outcome<C> {
        let outcome = self.0.call(call);
        Box::pin(async move { outcome.await.map_err(|error| C::error_of(error.into())) })
    }

    fn boxed_clone(&self) -> Box<dyn CloneService<C>> {
        Box::new(Erased(self.0.clone()))
    }
}
