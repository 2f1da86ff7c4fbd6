//! Putting a server together.

use std::{fmt::Display, future::Future};

use tokio::net::ToSocketAddrs;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "tls")]
use super::ServerTls;
use super::{
    Endpoint, Server, ServerLimits,
    admission::Proxies,
    check_panics,
    http::{HttpBody, HttpService},
    routes::Routes,
    shared::{Front, Shared},
};
use crate::{
    Hooks, Limits, RateLimit,
    auth::Authenticator,
    dispatch::Gateway,
    guard::{Guard, RequestGuard},
    hub::Hub,
    metrics::Meter,
    middleware::{Call, Fallback, Interceptor, Next, Reply},
    router::StartError,
    status::BoxError,
};

/// Puts a [`Server`] together: its main [`Endpoint`], on `/rpc`, by the methods that an endpoint has too, and what all
/// endpoints share.
///
/// Mistakes (a service added twice, two methods with one number, a guard that is missing) are told by
/// [`build`](Self::build) and the `serve` methods.
#[derive(Debug)]
pub struct ServerBuilder {
    main: Endpoint,
    path: String,
    others: Vec<(String, Endpoint)>,
    limits: ServerLimits,
    proxies: Vec<String>,
    metrics: bool,
    hub: Option<Hub>,
    http: Option<HttpService>,
    #[cfg(feature = "explorer")]
    pub(super) explorer_path: Option<String>,
    #[cfg(feature = "tls")]
    tls: Option<ServerTls>,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            main: Endpoint::new(),
            path: "/rpc".to_owned(),
            others: Vec::new(),
            limits: ServerLimits::default(),
            proxies: Vec::new(),
            metrics: false,
            hub: None,
            http: None,
            #[cfg(feature = "explorer")]
            explorer_path: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// The paths of the endpoints, the main one first.
    #[cfg(feature = "explorer")]
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let others = self.others.iter().map(|(path, _)| path.as_str());
        std::iter::once(self.path.as_str()).chain(others)
    }

    fn main(mut self, change: impl FnOnce(Endpoint) -> Endpoint) -> Self {
        self.main = change(self.main);
        self
    }

    /// Adds another endpoint, on a path of its own. A part of it in braces takes any text up to the next slash, which
    /// reaches handlers, guards and hooks by [`ConnectInfo::param`](crate::ConnectInfo::param).
    ///
    /// ```
    /// use rpc_runtime::{Endpoint, Limits, Server};
    ///
    /// let server = Server::builder().endpoint(
    ///     "/game/{session_id}",
    ///     Endpoint::new().limits(Limits { streams: 4, ..Limits::default() }),
    /// );
    /// # let _ = server;
    /// ```
    #[must_use]
    pub fn endpoint(mut self, path: impl Into<String>, endpoint: Endpoint) -> Self {
        self.others.push((path.into(), endpoint));
        self
    }

    /// Sets what all connections together may do. [`ServerLimits::default`] without.
    #[must_use]
    pub fn server_limits(mut self, limits: ServerLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Takes the word of proxies on the address of a client: of those whose own address lies in one of these networks, such as
    /// `10.0.0.0/8`, or is one of these addresses. Nobody is believed without.
    ///
    /// The address is the last one in `X-Forwarded-For`, or in `Forwarded`, that is not a trusted proxy's: every proxy has
    /// to add the address that it was connected from. Limits by address count it, and
    /// [`ConnectInfo::client_addr`](crate::ConnectInfo::client_addr) tells it. What cannot be read, and headers that
    /// contradict each other, count as the proxy's own address.
    ///
    /// ```
    /// # use rpc_runtime::Server;
    /// let server = Server::builder().trusted_proxies(["10.0.0.0/8", "fd00::/8", "192.0.2.7"]);
    /// # let _ = server;
    /// ```
    #[must_use]
    pub fn trusted_proxies<N: Into<String>>(mut self, networks: impl IntoIterator<Item = N>) -> Self {
        self.proxies.extend(networks.into_iter().map(Into::into));
        self
    }

    /// Records [metrics](mod@crate::metrics) of all endpoints through the facade of the crate `metrics`, in the recorder that is
    /// installed when the server is built: install the exporter first. Without, nothing is counted, and nothing is spent.
    ///
    /// It costs a read of the clock for each call, for the latencies, and a few writes to memory that connections share.
    #[must_use]
    pub fn metrics(mut self) -> Self {
        self.metrics = true;
        self
    }

    /// Serves all that asks for no upgrade on an endpoint's path by a tower service, such as an `axum::Router`: pages, health
    /// checks, metrics. Without one it is answered 404, and 426 on the endpoints' paths; 426 it is there as well where a GET without a
    /// body would be answered by an empty 404, so that who lacks no more than the upgrade is told. All else that the service says of an
    /// endpoint's path goes out as it is.
    ///
    /// Requests come with a [`RemoteAddr`](crate::RemoteAddr), a [`ClientAddr`](crate::ClientAddr) and, over TLS, a
    /// [`TlsInfo`](crate::TlsInfo) in their extensions. Their connections are kept alive, within the limits of
    /// [`ServerLimits`] that begin with `http_`. An answer may take as long as the service wants; one that fails or panics is
    /// a 500, with the cause in the log.
    ///
    /// It is served while the server stops as well, so that a readiness probe can tell of it:
    ///
    /// ```no_run
    /// # async fn run(builder: rpc_runtime::ServerBuilder) -> Result<(), Box<dyn std::error::Error>> {
    /// use axum::{Router, http::StatusCode, routing::get};
    /// use std::sync::{Arc, OnceLock};
    ///
    /// let server = Arc::new(OnceLock::<rpc_runtime::Server>::new());
    /// let asked = server.clone();
    /// let ready = move || async move {
    ///     match asked.get().is_some_and(|server| server.is_ready()) {
    ///         true => StatusCode::OK,
    ///         false => StatusCode::SERVICE_UNAVAILABLE,
    ///     }
    /// };
    /// let built = builder.http(Router::new().route("/readyz", get(ready))).build()?;
    /// let _ = server.set(built);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn http<S, B>(mut self, service: S) -> Self
    where
        S: Service<::http::Request<HttpBody>, Response = ::http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.http = Some(HttpService::new(service));
        self
    }

    /// Speaks TLS on every connection that is accepted. What is mounted into an HTTP router is not concerned: there TLS is
    /// the router's.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Has events reach the clients of this server, on all its endpoints, by a hub that has namespaces. A hub has one server. Without,
    /// clients and users can be sent to, and there are no channels.
    ///
    /// Clients subscribe and publish where an endpoint serves [`services::hub::gateway`](crate::services::hub::gateway); a
    /// server whose hub has namespaces, and which has it nowhere, says so in the log when it starts.
    #[must_use]
    pub fn hub(mut self, hub: Hub) -> Self {
        self.hub = Some(hub);
        self
    }

    /// Sets the path of the main endpoint, `/rpc` without. The standalone server answers 404 on paths that have no
    /// endpoint.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// See [`Endpoint::service`].
    #[must_use]
    pub fn service<G: Gateway>(self, gateway: G) -> Self {
        self.main(|main| main.service(gateway))
    }

    /// See [`Endpoint::fallback`].
    #[must_use]
    pub fn fallback(self, fallback: impl Fallback) -> Self {
        self.main(|main| main.fallback(fallback))
    }

    /// See [`Endpoint::limits`].
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        self.main(|main| main.limits(limits))
    }

    /// See [`Endpoint::allow_origin`].
    #[must_use]
    pub fn allow_origin(self, origin: impl Into<String>) -> Self {
        self.main(|main| main.allow_origin(origin))
    }

    /// See [`Endpoint::interceptor`].
    #[must_use]
    pub fn interceptor(self, interceptor: impl Interceptor) -> Self {
        self.main(|main| main.interceptor(interceptor))
    }

    /// See [`Endpoint::layer`].
    #[must_use]
    pub fn layer<L>(self, layer: L) -> Self
    where
        L: Layer<Next> + Send + Sync + 'static,
        L::Service: Service<Call, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Call>>::Error: Into<BoxError>,
        <L::Service as Service<Call>>::Future: Send + 'static,
    {
        self.main(|main| main.layer(layer))
    }

    /// See [`Endpoint::authenticator`].
    #[must_use]
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        self.main(|main| main.authenticator(authenticator))
    }

    /// See [`Endpoint::require_authentication`].
    #[must_use]
    pub fn require_authentication(self) -> Self {
        self.main(Endpoint::require_authentication)
    }

    /// See [`Endpoint::auth_cookie`].
    #[must_use]
    pub fn auth_cookie(self, name: impl Into<String>) -> Self {
        self.main(|main| main.auth_cookie(name))
    }

    /// See [`Endpoint::guard`].
    #[must_use]
    pub fn guard(self, name: impl Into<String>, guard: impl Guard) -> Self {
        self.main(|main| main.guard(name, guard))
    }

    /// See [`Endpoint::request_guard`].
    #[must_use]
    pub fn request_guard<Q: Sync + 'static>(
        self,
        name: impl Into<String>,
        guard: impl RequestGuard<Q>,
    ) -> Self {
        self.main(|main| main.request_guard(name, guard))
    }

    /// See [`Endpoint::reflection`]. It is said of the main endpoint; others have a word of their own.
    #[must_use]
    pub fn reflection(self, on: bool) -> Self {
        self.main(|main| main.reflection(on))
    }

    /// See [`Endpoint::channel_query`].
    #[must_use]
    pub fn channel_query(self, parameter: impl Into<Box<str>>) -> Self {
        self.main(|main| main.channel_query(parameter))
    }

    /// See [`Endpoint::cmmv`].
    #[cfg(feature = "cmmv")]
    #[must_use]
    pub fn cmmv(self, cmmv: crate::Cmmv) -> Self {
        self.main(|main| main.cmmv(cmmv))
    }

    /// See [`Endpoint::hooks`].
    #[must_use]
    pub fn hooks(self, hooks: impl Hooks) -> Self {
        self.main(|main| main.hooks(hooks))
    }

    /// See [`Endpoint::rate_limit`].
    #[must_use]
    pub fn rate_limit(self, limit: RateLimit) -> Self {
        self.main(|main| main.rate_limit(limit))
    }

    /// The server, to be mounted into an HTTP router or to serve connections by hand.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub fn build(self) -> Result<Server, StartError> {
        check_panics(cfg!(panic = "abort"))?;
        self.limits.check()?;
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            tls.reload().map_err(StartError::Tls)?;
        }
        #[cfg(feature = "explorer")]
        let explorer = self.made_explorer();
        let front = Front {
            proxies: Proxies::parse(&self.proxies)?,
            #[cfg(feature = "explorer")]
            http: HttpService::explored(explorer.clone(), self.http),
            #[cfg(not(feature = "explorer"))]
            http: self.http,
            #[cfg(feature = "explorer")]
            explorer,
            #[cfg(feature = "tls")]
            tls: self.tls,
        };
        let mut endpoints = vec![(self.path, self.main)];
        endpoints.extend(self.others);
        if self.metrics {
            let meter = Meter::on();
            for (_, endpoint) in &mut endpoints {
                endpoint.meter = meter.clone();
            }
        }
        let serves_hub = endpoints.iter().any(|(_, endpoint)| endpoint.serves_hub());
        let hub = match self.hub {
            None if serves_hub => return Err(StartError::NoHub),
            None => Hub::default(),
            Some(hub) => {
                if !serves_hub && hub.has_namespaces() {
                    tracing::warn!(
                        "the server's hub has namespaces, and no client can subscribe: add \
                         `.service(rpc_runtime::services::hub::gateway())`"
                    );
                }
                hub
            }
        };
        let shared = Shared::behind(front, hub.clone(), Routes::build(endpoints)?, self.limits);
        if !hub.attach(&shared) {
            return Err(StartError::HubOfAnother);
        }
        if self.metrics {
            hub.record();
        }
        Ok(Server { shared })
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
        let listener = Server::listen(addr)
            .await
            .map_err(|source| StartError::Listen { address, source })?;
        server.serve_with_listener(listener, shutdown).await;
        Ok(())
    }
}
