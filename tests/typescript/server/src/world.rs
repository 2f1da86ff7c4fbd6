//! A world: one case's own server, hub and network, so that no case sees anything of another.

use std::{
    fmt::Display,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use interop::service::TestServer;
use rpc_runtime::{Limits, Rate, Server, ServerLimits, auth::jwt::Jwt, hub::Hub, services};
use serde::Deserialize;
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{CasesGateway, channels, channels::Boards, proxy::Proxy, service::Service, tokens};

/// What a case says of the world that it wants. Times are in milliseconds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wishes {
    /// The port of the proxy; 0 is any.
    #[serde(default)]
    port: u16,
    /// Origins of pages that may connect.
    #[serde(default)]
    origins: Vec<String>,
    /// Whether nobody is served who is not known.
    #[serde(default)]
    requires_authentication: bool,
    resume_window: Option<u64>,
    expiry_warning: Option<u64>,
    expiry_grace: Option<u64>,
    authentication_time: Option<u64>,
    ping_interval: Option<u64>,
    pong_timeout: Option<u64>,
    write_stall: Option<u64>,
    drain_grace: Option<u64>,
    streams: Option<usize>,
    stream_window: Option<usize>,
    connection_window: Option<usize>,
    pending_bytes: Option<usize>,
    event_queue_bytes: Option<usize>,
    subscriptions: Option<usize>,
    compress_above: Option<usize>,
    connections_per_user: Option<usize>,
}

/// What goes wrong, in words for whoever writes cases.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One case's own server, which may be replaced.
#[derive(Debug)]
pub(crate) struct World {
    wishes: Wishes,
    pub(crate) service: Service,
    pub(crate) proxy: Proxy,
    current: Mutex<Current>,
}

/// The server that serves now. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) server: Server,
    pub(crate) hub: Hub,
    pub(crate) boards: Boards,
    address: SocketAddr,
    listening: AbortHandle,
}

impl World {
    pub(crate) async fn new(wishes: Wishes) -> Result<Self, Failure> {
        let service = Service::default();
        let current = Current::start(&wishes, &service).await?;
        let proxy = Proxy::bind(wishes.port, current.address).await;
        let proxy = proxy.map_err(explain("cannot listen"))?;
        Ok(Self {
            wishes,
            service,
            proxy,
            current: Mutex::new(current),
        })
    }

    /// Where clients connect.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/rpc", self.proxy.address())
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn current(&self) -> Current {
        self.lock().clone()
    }

    /// Has another server take the place of this one, with nothing of its hub. The old one goes in order with `drain`; without, its
    /// connections are cut and it is never heard of again.
    pub(crate) async fn restart(&self, drain: bool) -> Result<(), Failure> {
        let next = Current::start(&self.wishes, &self.service).await?;
        let address = next.address;
        let last = std::mem::replace(&mut *self.lock(), next);
        self.proxy.set_target(address);
        last.listening.abort();
        if drain {
            tokio::spawn(async move { last.server.shutdown().await });
        } else {
            self.proxy.cut();
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.lock().listening.abort();
    }
}

impl Current {
    /// Where it listens itself.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/rpc", self.address)
    }

    async fn start(wishes: &Wishes, service: &Service) -> Result<Self, Failure> {
        let boards = Boards::default();
        let hub = channels::hub(&boards).map_err(explain("the hub is wrong"))?;
        let server = wishes.server(&hub, service)?;
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(explain("cannot listen"))?;
        let address = listener.local_addr().map_err(explain("cannot listen"))?;
        let serving = server.clone();
        let listening = tokio::spawn(async move {
            serving
                .serve_with_listener(listener, std::future::pending())
                .await
        });
        Ok(Self {
            server,
            hub,
            boards,
            address,
            listening: listening.abort_handle(),
        })
    }
}

impl Wishes {
    fn server(&self, hub: &Hub, service: &Service) -> Result<Server, Failure> {
        // A token that is shown too late on a busy machine has expired, as the case wants it: it would be good for a minute more.
        let authenticator = Jwt::secret(tokens::SECRET)
            .map_err(explain("the secret is wrong"))?
            .leeway(Duration::ZERO);
        let mut builder = Server::builder()
            .hub(hub.clone())
            .service(CasesGateway::new(service.clone()))
            .service(interop::TestGateway::new(TestServer::default()))
            .service(services::hub::gateway())
            .service(services::session::gateway())
            .authenticator(authenticator)
            .limits(self.limits())
            .server_limits(self.server_limits());
        if self.requires_authentication {
            builder = builder.require_authentication();
        }
        for origin in &self.origins {
            builder = builder.allow_origin(origin);
        }
        builder.build().map_err(explain("the server does not start"))
    }

    fn limits(&self) -> Limits {
        let default = Limits::default();
        let time = |wish: Option<u64>, default| wish.map_or(default, Duration::from_millis);
        Limits {
            resume_window: time(self.resume_window, default.resume_window),
            expiry_warning: time(self.expiry_warning, default.expiry_warning),
            expiry_grace: time(self.expiry_grace, default.expiry_grace),
            authentication_time: time(self.authentication_time, default.authentication_time),
            ping_interval: time(self.ping_interval, default.ping_interval),
            pong_timeout: time(self.pong_timeout, default.pong_timeout),
            write_stall: time(self.write_stall, default.write_stall),
            streams: self.streams.unwrap_or(default.streams),
            stream_window: self.stream_window.unwrap_or(default.stream_window),
            connection_window: self.connection_window.unwrap_or(default.connection_window),
            pending_bytes: self.pending_bytes.unwrap_or(default.pending_bytes),
            event_queue_bytes: self.event_queue_bytes.unwrap_or(default.event_queue_bytes),
            subscriptions: self.subscriptions.unwrap_or(default.subscriptions),
            compress_above: self.compress_above.or(default.compress_above),
            ..default
        }
    }

    /// All clients come from one address, as often as a case likes.
    fn server_limits(&self) -> ServerLimits {
        let default = ServerLimits::default();
        ServerLimits {
            connections_per_address: 10_000,
            connects_per_address: Rate::per_second(100_000),
            connects: Rate::per_second(100_000),
            connections_per_user: self.connections_per_user.unwrap_or(default.connections_per_user),
            drain_grace: self
                .drain_grace
                .map_or(default.drain_grace, Duration::from_millis),
            ..default
        }
    }
}

/// Says what was being done when something failed.
pub(crate) fn explain<E: Display>(what: &str) -> impl FnOnce(E) -> Failure + use<'_, E> {
    move |error| format!("{what}: {error}").into()
}
