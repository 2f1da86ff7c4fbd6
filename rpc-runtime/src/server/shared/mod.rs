//! What all connections of a server share, and the list of them.

mod admitting;
mod stopping;

pub(super) use admitting::Admission;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rpc_protocol::frame::Greeting;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use admitting::{connections_within, open_files};

#[cfg(feature = "tls")]
use super::ServerTls;
use super::{
    ActiveEndpoint, ServerLimits,
    admission::{ConnectRates, Places, Proxies},
    detached::Resumable,
    http::HttpService,
    partings::Partings,
    routes::Routes,
    users::Users,
};
use crate::{
    ConnectInfo,
    hub::{ChannelName, Hub},
    limits::LONGEST,
    metrics::Meter,
    session::{ClientId, Session, SessionStats, afterwards::Afterwards, mailbox::Command},
};

/// The list is split so that connects and disconnects on several cores seldom meet.
const SHARDS: usize = 16;

/// What stands before connections.
#[derive(Debug, Default)]
pub(crate) struct Front {
    /// Proxies whose word on a client's address is taken.
    pub(super) proxies: Proxies,
    /// The program's own service, for what is no upgrade.
    pub(super) http: Option<HttpService>,
    /// The explorer that `http` has as well, for a server that is mounted into an HTTP router.
    #[cfg(feature = "explorer")]
    pub(super) explorer: Option<rpc_explorer::Explorer>,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
}

/// What all connections of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) routes: Routes,
    pub(crate) limits: ServerLimits,
    sessions: [Mutex<HashMap<ClientId, Arc<Session>>>; SHARDS],
    pub(super) users: Users,
    pub(super) resumable: Resumable,
    departed: Mutex<Departed>,
    /// Connections and handshakes that were let in.
    admitted: AtomicUsize,
    /// Connections that are over, and whose sockets are not closed yet.
    parting: AtomicUsize,
    partings: Partings,
    /// The most sockets of both, as far as the system says how many there may be.
    most_sockets: usize,
    pub(crate) rates: ConnectRates,
    pub(super) front: Front,
    handshakes: Arc<Places>,
    /// Connections of the program's own HTTP service.
    pub(super) http_places: Arc<Places>,
    /// Tells HTTP connections that the server ends. Each holds a receiver.
    pub(super) http_ending: watch::Sender<()>,
    /// Connections by the address that they come from.
    addresses: Arc<Places>,
    /// Told when the last admission ends.
    empty: Notify,
    /// What goes on behind calls and connections.
    pub(crate) afterwards: Arc<Afterwards>,
    pub(crate) one_way_failures: AtomicU64,
    pub(crate) hub: Hub,
    /// See `server/echo.rs`.
    #[cfg(feature = "__echo")]
    pub(super) echo: std::sync::atomic::AtomicBool,
}

impl Shared {
    #[cfg(test)]
    pub(crate) fn new(routes: Routes, limits: ServerLimits) -> Arc<Self> {
        Self::behind(Front::default(), Hub::default(), routes, limits)
    }

    pub(crate) fn behind(front: Front, hub: Hub, routes: Routes, mut limits: ServerLimits) -> Arc<Self> {
        let most_sockets = open_files().map_or(usize::MAX, |files| {
            let http = front.http.as_ref().map_or(0, |_| limits.http_connections);
            let others = limits.handshakes.saturating_add(http);
            connections_within(files, others)
        });
        limits.connections = limits.connections.min(most_sockets);
        Arc::new(Self {
            parting: AtomicUsize::new(0),
            partings: Partings::new(&limits),
            most_sockets,
            rates: ConnectRates::new(&limits),
            front,
            http_places: Places::new(limits.http_connections, limits.http_connections_per_address),
            http_ending: watch::Sender::new(()),
            handshakes: Places::new(limits.handshakes, limits.handshakes_per_address),
            addresses: Places::new(usize::MAX, limits.connections_per_address),
            routes,
            limits,
            sessions: Default::default(),
            users: Users::default(),
            resumable: Resumable::default(),
            departed: Mutex::default(),
            admitted: AtomicUsize::new(0),
            empty: Notify::new(),
            afterwards: Arc::default(),
            one_way_failures: AtomicU64::new(0),
            hub,
            #[cfg(feature = "__echo")]
            echo: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// Where the server counts: all its endpoints do it in one place.
    pub(super) fn meter(&self) -> &Meter {
        &self.routes.main().meter
    }

    /// The session of a client that is connected.
    pub(crate) fn session(&self, id: ClientId) -> Option<Arc<Session>> {
        lock(self.shard(id)).get(&id).cloned()
    }

    /// The sessions of a user, in no order.
    pub(crate) fn sessions_of_user(&self, user: &str) -> Vec<Arc<Session>> {
        self.users.sessions(user)
    }

    /// All sessions, a part of the list at a time: who connects or leaves meanwhile may be among them or not.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = Arc<Session>> {
        self.sessions
            .iter()
            .flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>())
    }

    /// When a handshake that begins now has to be over.
    pub(crate) fn handshake_deadline(&self) -> Instant {
        later(self.limits.handshake_timeout)
    }

    /// How many bytes of headers a request may have.
    pub(crate) fn header_bytes(&self) -> usize {
        let tokens = self
            .routes
            .iter()
            .any(|endpoint| !endpoint.authenticators.is_empty());
        self.limits.header_bytes_with(tokens)
    }

    /// What was counted of sessions that are over.
    pub(super) fn departed(&self) -> Departed {
        *lock(&self.departed)
    }

    /// How many clients are connected.
    pub(crate) fn connections(&self) -> usize {
        self.sessions.iter().map(|shard| lock(shard).len()).sum()
    }

    /// The endpoint that a connection belongs to: that of its path, else the main one.
    pub(crate) fn endpoint_of(&self, info: ConnectInfo) -> (Arc<ActiveEndpoint>, ConnectInfo) {
        match self.routes.find(info.path()) {
            Some(route) => (route.endpoint, info.with_params(route.parameters)),
            None => (self.routes.main().clone(), info),
        }
    }

    /// Whether the server is stopping.
    pub(crate) fn is_draining(&self) -> bool {
        self.afterwards.stopping.has_begun()
    }

    /// Puts a session on the list for as long as the result lives.
    pub(crate) fn register(self: &Arc<Self>, session: Arc<Session>) -> Registration {
        let id = session.id();
        lock(self.shard(id)).insert(id, session.clone());
        if self.is_draining() {
            session.mailbox.send(Command::Drain);
        }
        Registration {
            shared: self.clone(),
            id,
        }
    }

    fn shard(&self, id: ClientId) -> &Mutex<HashMap<ClientId, Arc<Session>>> {
        &self.sessions[id.shard(SHARDS)]
    }

    /// The greeting of one connection.
    pub(crate) fn greeting(&self, session: &Session) -> Greeting {
        // The protocol fills in limits and heartbeat.
        Greeting {
            client_id: session.id().to_string(),
            server_time_us: micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            own_channel: ChannelName::of_client(session.id()).as_str().to_owned(),
            ..Greeting::default()
        }
    }
}

/// A time from now. What the clock cannot hold is later than anybody waits.
pub(crate) fn later(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now + LONGEST)
}

/// A duration as frames carry it.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What was counted of sessions that are over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Departed {
    /// How many there were.
    pub(crate) connections: u64,
    /// Nothing is open or queued in these.
    pub(crate) stats: SessionStats,
}

/// A session's place on the list.
#[derive(Debug)]
pub(crate) struct Registration {
    shared: Arc<Shared>,
    id: ClientId,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let session = lock(self.shared.shard(self.id)).remove(&self.id);
        if let Some(session) = session {
            let mut departed = lock(&self.shared.departed);
            departed.connections += 1;
            departed.stats.add_what_is_over(&session.stats());
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
