//! Putting a server together.

use std::{fmt::Display, future::Future};

use tokio::net::{TcpListener, ToSocketAddrs};
use tower_layer::Layer;
use tower_service::Service;

use super::{Server, check_panics, origin::Origins, shared::Shared};
use crate::{
    Limits,
    dispatch::Gateway,
    middleware::{Call, Interceptor, Next, Reply, Stack},
    router::{Router, StartError},
    status::BoxError,
};

/// Puts a [`Server`] together.
///
/// Mistakes (a service added twice, two methods with one number) are told by [`build`](Self::build) and the `serve`
/// methods.
#[derive(Debug)]
pub struct ServerBuilder {
    router: Result<Router, StartError>,
    limits: Limits,
    path: String,
    origins: Origins,
    stack: Stack,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            router: Ok(Router::default()),
            limits: Limits::default(),
            path: "/rpc".to_owned(),
            origins: Origins::default(),
            stack: Stack::default(),
        }
    }

    /// Adds a service: a generated or hand-written gateway.
    #[must_use]
    pub fn service<G: Gateway>(mut self, gateway: G) -> Self {
        // The first mistake stays.
        self.router = self
            .router
            .and_then(|mut router| router.add(gateway).map(|()| router));
        self
    }

    /// Sets the limits. [`Limits::default`] without.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the path on which the standalone server answers, `/rpc` without. All others are 404.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Lets pages of another origin connect, such as `https://app.example.com`. Without, a browser's page is let in only from
    /// the host and port that it connects to; others are answered 403. Clients that are no browsers send no origin.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.allow(origin.into());
        self
    }

    /// Puts a function in front of every method, which lets calls pass or answers them with a status, before anything
    /// of their bodies is decoded. Interceptors run in the order in which they are added, before all layers.
    ///
    /// See [`Interceptor`] for an example, and [`middleware`](crate::middleware) for what runs when.
    #[must_use]
    pub fn interceptor(mut self, interceptor: impl Interceptor) -> Self {
        self.stack.intercept(interceptor);
        self
    }

    /// Puts a tower layer around every method. The layer that is added first sees calls first.
    ///
    /// The layer is applied once, when the server is built; for each call the service that it makes is cloned, and what
    /// its clones share is shared by all calls of the server. See [`middleware`](crate::middleware).
    #[must_use]
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next> + Send + Sync + 'static,
        L::Service: Service<Call, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Call>>::Error: Into<BoxError>,
        <L::Service as Service<Call>>::Future: Send + 'static,
    {
        self.stack.layer(layer);
        self
    }

    /// The server, to be mounted into an HTTP router or to serve connections by hand.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn build(self) -> Result<Server, StartError> {
        check_panics(cfg!(panic = "abort"))?;
        self.limits.check()?;
        let mut router = self.router?;
        if let Some(middleware) = self.stack.build() {
            router.put_behind(&middleware);
        }
        Ok(Server {
            shared: Shared::new(router, self.limits, self.path, self.origins),
        })
    }

    /// Listens on `addr` and serves, for ever.
    ///
    /// # Errors
    ///
    /// When the server is put together wrongly, or the address cannot be listened on.
    pub async fn serve(self, addr: impl ToSocketAddrs + Display) -> Result<(), StartError> {
        self.serve_with_shutdown(addr, std::future::pending()).await
    }

    /// Listens on `addr` and serves until `shutdown` is ready; then stops in order, as [`Server::shutdown`] says.
    ///
    /// # Errors
    ///
    /// When the server is put together wrongly, or the address cannot be listened on.
    pub async fn serve_with_shutdown(
        self,
        addr: impl ToSocketAddrs + Display,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        let server = self.build()?;
        let address = addr.to_string();
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        server.serve_with_listener(listener, shutdown).await;
        Ok(())
    }
}
