//! Putting a server together.

use std::{fmt::Display, future::Future};

use tokio::net::{TcpListener, ToSocketAddrs};

use super::{Server, check_panics, origin::Origins, shared::Shared};
use crate::{
    Limits,
    dispatch::Gateway,
    router::{Router, StartError},
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
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            router: Ok(Router::default()),
            limits: Limits::default(),
            path: "/rpc".to_owned(),
            origins: Origins::default(),
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

    /// The server, to be mounted into an HTTP router or to serve connections by hand.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn build(self) -> Result<Server, StartError> {
        check_panics(cfg!(panic = "abort"))?;
        self.limits.check()?;
        Ok(Server {
            shared: Shared::new(self.router?, self.limits, self.path, self.origins),
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
