//! Turning the explorer on.

use rpc_explorer::Explorer;

use super::ServerBuilder;

impl ServerBuilder {
    /// Serves the explorer under a path, such as `/explorer`: a page that shows the services, methods and events of all endpoints, with
    /// a form for each request, calls them, and subscribes to channels. It goes before [`http`](Self::http)'s service. It needs the
    /// feature `explorer`.
    ///
    /// The page is a client like any other: it is told what [`reflection`](Self::reflection) tells whom, and calls what whoever uses it
    /// may call. Without more, that is everything in a debug build for browsers on the server's own machine, and nothing else.
    ///
    /// ```
    /// use rpc_runtime::Server;
    ///
    /// let mut server = Server::builder();
    /// if cfg!(debug_assertions) {
    ///     server = server.explorer("/explorer");
    /// }
    /// # let _ = server;
    /// ```
    ///
    /// A server that is mounted into an HTTP router answers for the explorer too, where the router sends these paths to it:
    ///
    /// ```
    /// # fn mount(server: rpc_runtime::Server) -> axum::Router {
    /// axum::Router::new()
    ///     .route_service("/rpc", server.clone())
    ///     .route_service("/explorer/", server.clone())
    ///     .route_service("/explorer/{*file}", server)
    /// # }
    /// ```
    #[must_use]
    pub fn explorer(mut self, path: impl Into<String>) -> Self {
        self.explorer_path = Some(path.into());
        self
    }

    /// The explorer of all endpoints, if it is turned on.
    pub(super) fn made_explorer(&self) -> Option<Explorer> {
        let path = self.explorer_path.as_deref()?;
        Some(Explorer::at(path, self.paths()))
    }
}
