//! Putting a client together.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "tls")]
use super::connect::{TlsCertificate, TlsOptions, TlsRoots};
use super::{
    Client, ClientLimits, Connector, Reconnect,
    channel::{Channel, Config},
    connect::{ByConnector, Dial, Target},
    error::{CallError, Refused, RefusedKind},
    hub::HubCell,
    identity::{CredentialProvider, Provide, Shown, Standing},
    resume::Resumption,
};
use crate::{
    auth::Credential,
    middleware::{Call, Interceptor, Next, Outbound, Reply, Stack},
    status::BoxError,
};

/// How long connecting may take in all, where the program says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Puts a [`Client`] together: [`Client::builder`] for a URL, [`Client::from_connector`] for connections of the
/// program's own.
///
/// ```
/// # use rpc_runtime::{CallError, Client};
/// # use std::time::Duration;
/// # fn client() -> Result<Client, CallError> {
/// let client = Client::builder("ws://127.0.0.1:3000/rpc")
///     .timeout(Duration::from_secs(5))
///     .header("x-tenant", "acme")
///     .lazy()?;
/// # Ok(client)
/// # }
/// # client().expect("is put together");
/// ```
#[must_use = "a client is made by `connect` or `lazy`"]
pub struct ClientBuilder {
    target: To,
    headers: HeaderMap,
    bad_header: Option<String>,
    #[cfg(feature = "tls")]
    tls: TlsOptions,
    connect_timeout: Duration,
    reconnect: Reconnect,
    timeout: Option<Duration>,
    limits: ClientLimits,
    compress_above: Option<usize>,
    resume: bool,
    credential: Option<Shown>,
    provider: Option<Arc<dyn Provide>>,
    stack: Stack<Outbound>,
}

enum To {
    Url(String),
    Connector(Box<dyn Dial>),
}

impl ClientBuilder {
    pub(super) fn to_url(url: impl Into<String>) -> Self {
        Self::new(To::Url(url.into()))
    }

    pub(super) fn by_connector(connector: impl Connector) -> Self {
        Self::new(To::Connector(Box::new(ByConnector(connector))))
    }

    fn new(target: To) -> Self {
        Self {
            target,
            headers: HeaderMap::new(),
            bad_header: None,
            #[cfg(feature = "tls")]
            tls: TlsOptions::default(),
            connect_timeout: CONNECT_TIMEOUT,
            reconnect: Reconnect::default(),
            timeout: None,
            limits: ClientLimits::default(),
            compress_above: None,
            resume: true,
            credential: None,
            provider: None,
            stack: Stack::default(),
        }
    }

    /// How long one attempt to connect may take, from looking the name up to the end of the upgrade, and how long a
    /// [provider](Self::credentials) may take before. 10 s without.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// When and how often to come back after a connection was lost. [`Reconnect::default`] without: for ever.
    pub fn reconnect(mut self, reconnect: Reconnect) -> Self {
        self.reconnect = reconnect;
        self
    }

    /// The timeout of every call that sets none of its own, also of one whose answer is a stream. Sessions have none but
    /// their own: they last as long as their closures run. None without: a call may take for ever.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Adds a header to the HTTP request that asks for the upgrade. A name or value that cannot stand in HTTP is told by
    /// [`connect`](Self::connect) and [`lazy`](Self::lazy). A connector's connections have no headers. An `authorization` gives
    /// way to that of a [credential](Self::credential).
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let parsed = (HeaderName::try_from(name), HeaderValue::from_str(value.as_ref()));
        match parsed {
            (Ok(name), Ok(value)) => drop(self.headers.append(name, value)),
            // The value may be a secret.
            _ => self.bad_header = Some(format!("{name:?} with its value cannot be an HTTP header")),
        }
        self
    }

    /// Sets what the client allows its connections. [`ClientLimits::default`] without.
    pub fn limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whom to trust to vouch for the server of a `wss://` URL. [`TlsRoots::System`] without.
    #[cfg(feature = "tls")]
    pub fn tls_roots(mut self, roots: TlsRoots) -> Self {
        self.tls.roots = roots;
        self
    }

    /// The client's own certificate, which it shows to a server of a `wss://` URL that asks for one. None without, and such a server
    /// refuses the client ([`RefusedKind::ClientCertificate`]).
    #[cfg(feature = "tls")]
    pub fn tls_certificate(mut self, certificate: TlsCertificate) -> Self {
        self.tls.certificate = Some(certificate);
        self
    }

    /// Compresses requests, and messages of streams, of more bytes than this, where the server reads compressed ones and
    /// it makes them shorter. Nothing is compressed without. Compressed responses are always understood.
    ///
    /// What an attacker chooses a part of must not be compressed beside a secret: the length tells about the secret.
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.compress_above = Some(bytes);
        self
    }

    /// Whether to come back to the same session when the connection was lost, where the server keeps sessions
    /// ([`Limits::resume_window`](crate::Limits::resume_window)): with the same client id, identity and subscriptions, and without
    /// having missed a direct event. It does without. [`ServerGreeting::resumed`](crate::ServerGreeting::resumed) tells whether a
    /// connection goes on with the session before. Calls that run end with their connection all the same, unless both sides keep what
    /// they send ([`ClientLimits::replay_bytes`]).
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Shows this credential on every connection: a token in the handshake's header `Authorization`, everything else, and
    /// whatever a connector's connections show, in band, before all calls. See [`Client`] for what follows from it.
    ///
    /// Over `ws://` it can be read by everybody on the way.
    ///
    /// ```
    /// use rpc_runtime::{Client, auth::Credential};
    ///
    /// # fn client(token: String) -> Result<Client, rpc_runtime::CallError> {
    /// let client = Client::builder("wss://example.com/rpc")
    ///     .credential(Credential::bearer(token))
    ///     .lazy()?;
    /// # Ok(client)
    /// # }
    /// # let _ = client;
    /// ```
    pub fn credential(mut self, credential: Credential) -> Self {
        self.credential = Some(Shown::of_builder(credential));
        self
    }

    /// Asks for a fresh credential for every connection, shown as [`credential`](Self::credential) says and instead of it,
    /// and when the server warns that the identity ends: the client then stays known, without a new connection.
    pub fn credentials(mut self, provider: impl CredentialProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Puts a function in front of every call, which may change its metadata, lets it pass, or fails it with a status
    /// before anything is sent. Interceptors run in the order in which they are added, before all layers.
    ///
    /// ```
    /// use rpc_runtime::{Client, middleware::{Head, Outbound}};
    ///
    /// let client = Client::builder("ws://127.0.0.1:3000/rpc").interceptor(|call: &mut Outbound| {
    ///     call.metadata_mut().insert("tenant", "acme");
    ///     Ok(())
    /// });
    /// # let _ = client;
    /// ```
    pub fn interceptor(mut self, interceptor: impl Interceptor<Outbound>) -> Self {
        self.stack.intercept(interceptor);
        self
    }

    /// Puts a tower layer around every call. The layer that is added first sees calls first.
    ///
    /// The layer is applied once, when the client is made; for each call the service that it makes is cloned, and what its
    /// clones share is shared by all calls of the client. See [`middleware`](crate::middleware).
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Next<Outbound>> + Send + Sync + 'static,
        L::Service: Service<Call<Outbound>, Response = Reply> + Clone + Send + Sync + 'static,
        <L::Service as Service<Call<Outbound>>>::Error: Into<BoxError>,
        <L::Service as Service<Call<Outbound>>>::Future: Send + 'static,
    {
        self.stack.layer(layer);
        self
    }

    /// Connects: the first connection must succeed.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] when nobody listens, the server refuses the upgrade, it is no server of this protocol, it
    /// does not answer in time, or the client is put together wrongly.
    pub async fn connect(self) -> Result<Client, CallError> {
        let (config, dial) = self.build()?;
        Ok(Client::with(Channel::connected(config, dial).await?))
    }

    /// A client that connects when it is first called. It may be made outside of a runtime.
    ///
    /// # Errors
    ///
    /// [`CallError::Refused`] when the client is put together wrongly: the URL is none, a header cannot be one, its own certificate
    /// cannot be used, or nothing works with one of the limits.
    pub fn lazy(self) -> Result<Client, CallError> {
        let (config, dial) = self.build()?;
        Ok(Client::of(Channel::lazy(config, dial)))
    }

    fn build(self) -> Result<(Config, Box<dyn Dial>), CallError> {
        if let Err(error) = self.limits.check() {
            let url = match &self.target {
                To::Url(url) => url,
                To::Connector(_) => "",
            };
            let refused = Refused::new(RefusedKind::BadLimit, url, error.to_string());
            return Err(CallError::Refused(refused));
        }
        let mut config = self.config();
        config.middleware = self.stack.build();
        let dial: Box<dyn Dial> = match self.target {
            To::Connector(dial) => dial,
            To::Url(url) => {
                if let Some(text) = self.bad_header {
                    return Err(CallError::Refused(Refused::new(
                        RefusedKind::BadHeader,
                        &url,
                        text,
                    )));
                }
                let target = Target::new(
                    &url,
                    &self.headers,
                    #[cfg(feature = "tls")]
                    &self.tls,
                );
                Box::new(target.map_err(CallError::Refused)?)
            }
        };
        Ok((config, dial))
    }

    pub(super) fn config(&self) -> Config {
        Config {
            connect_timeout: self.connect_timeout,
            reconnect: self.reconnect.clone(),
            timeout: self.timeout,
            hub: HubCell::new(self.limits.unread_events, self.limits.unread_event_bytes),
            limits: Arc::new(self.limits.clone()),
            compress_above: self.compress_above,
            middleware: None,
            resumption: Arc::new(Resumption::new(self.resume)),
            standing: Arc::new(Standing::new(self.provider.clone(), self.credential.clone())),
        }
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers may hold secrets.
        f.debug_struct("ClientBuilder")
            .field("reconnect", &self.reconnect)
            .field("timeout", &self.timeout)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
