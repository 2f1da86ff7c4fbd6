//! What all connections of a server share, and the list of them.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rpc_protocol::frame::Greeting;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

#[cfg(feature = "tls")]
use super::ServerTls;
use super::{
    ActiveEndpoint, ServerLimits,
    admission::{ConnectRates, NoPlace, Place, Places, Proxies, network},
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

/// When a server stops, each connection waits this much longer than the one before it, so that not all clients come
/// back at the same moment; and no connection waits longer than this in all.
const SPREAD_EACH: Duration = Duration::from_micros(200);
const SPREAD_MOST: Duration = Duration::from_secs(2);

/// So long HTTP connections may go on with their answers when everything else is over.
const HTTP_LINGER: Duration = Duration::from_secs(1);

/// What stands before connections.
#[derive(Debug, Default)]
pub(crate) struct Front {
    /// Proxies whose word on a client's address is taken.
    pub(super) proxies: Proxies,
    /// The program's own service, for what is no upgrade.
    pub(super) http: Option<HttpService>,
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

    /// Lets one more connection in, if the limits allow; from an address where that is known.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, NoPlace> {
        let admitted = self.admitted.fetch_add(1, Ordering::AcqRel);
        // Made first: dropping it takes the count back.
        let mut admission = self.admission();
        // What connections leave behind counts as they did, or clients that come and go would not be bounded.
        let behind = self.afterwards.running() / self.routes.main().limits.streams;
        let sockets = admitted.saturating_add(self.parting.load(Ordering::Acquire));
        if admitted.saturating_add(behind) >= self.limits.connections || sockets >= self.most_sockets {
            return Err(NoPlace::AtAll);
        }
        if let Some(address) = address {
            admission.of_address = Some(self.addresses.take(Some(network(address)))?);
        }
        Ok(admission)
    }

    fn admission(self: &Arc<Self>) -> Admission {
        Admission {
            shared: self.clone(),
            of_address: None,
            parts: false,
        }
    }

    /// Counts a connection that was let in elsewhere.
    pub(crate) fn admit_always(self: &Arc<Self>) -> Admission {
        self.admitted.fetch_add(1, Ordering::AcqRel);
        self.admission()
    }

    /// A place among the handshakes that may be under way, in all and of one address. A trusted proxy's are many clients'.
    pub(crate) fn begin_handshake(&self, peer: IpAddr) -> Result<Place, NoPlace> {
        let address = (!self.front.proxies.contains(peer)).then(|| network(peer));
        self.handshakes.take(address)
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

    /// Stops: tells every client, waits for running calls up to the grace, then closes what is left. Returns when no
    /// connection is left, or shortly after the grace whatever happens.
    pub(crate) async fn drain(self: &Arc<Self>) {
        self.afterwards.stopping.begin();
        let grace = Instant::now() + self.limits.drain_grace;
        let told = async {
            self.tell_all(|| Command::Drain).await;
            self.wait_until_empty().await;
        };
        if tokio::time::timeout_at(grace, told).await.is_ok() {
            return;
        }
        tracing::warn!(
            connections = self.connections(),
            "the grace is over: cancelling the calls still running"
        );
        let closed = async {
            self.tell_all(|| Command::Stop).await;
            self.wait_until_empty().await;
        };
        let _ = tokio::time::timeout(SPREAD_MOST + self.routes.main().limits.close_timeout, closed).await;
    }

    /// Ends connections of HTTP: those that wait at once, the others with their answers, for which they have a short time.
    pub(crate) async fn end_http(&self) {
        self.http_ending.send_replace(());
        let _ = tokio::time::timeout(HTTP_LINGER, self.http_ending.closed()).await;
    }

    /// Sends a command to every session, spread over a time that grows with their number.
    async fn tell_all(&self, command: impl Fn() -> Command) {
        let sessions: Vec<_> = self.sessions().collect();
        let spread = (SPREAD_EACH * u32::try_from(sessions.len()).unwrap_or(u32::MAX)).min(SPREAD_MOST);
        let began = Instant::now();
        let total = sessions.len().max(1);
        for (index, session) in sessions.into_iter().enumerate() {
            session.mailbox.send(command());
            drop(session);
            // tokio's timer counts milliseconds: a pause per session would be far too long.
            if index % 64 == 63 {
                tokio::time::sleep_until(began + spread.mul_f64(index as f64 / total as f64)).await;
            }
        }
    }

    /// One connection less.
    fn give_back(&self) {
        if self.admitted.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.empty.notify_waiters();
        }
    }

    async fn wait_until_empty(&self) {
        loop {
            let notified = self.empty.notified();
            if self.admitted.load(Ordering::Acquire) == 0 {
                break;
            }
            notified.await;
        }
        self.afterwards.none_left().await;
    }
}

/// A time from now. What the clock cannot hold is later than anybody waits.
pub(crate) fn later(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now + LONGEST)
}

/// How many files this process may have open, where the system says so.
fn open_files() -> Option<usize> {
    if cfg!(feature = "__file_tables") {
        return None;
    }
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_whitespace().next()?.parse().ok()
}

/// How many connections leave room for handshakes, which are then answered with 503, for connections of HTTP, and for the
/// application's own files.
fn connections_within(files: usize, others: usize) -> usize {
    files.saturating_sub(32 + others.min(files / 8)).max(1)
}

/// A duration as frames carry it.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A place among the connections that the limit allows.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) shared: Arc<Shared>,
    of_address: Option<Place>,
    /// The connection is over, and its place is free.
    parts: bool,
}

impl Admission {
    /// Gives the place back of a connection that is over, and waits until its socket may be closed; no more wait than may be
    /// connected. Dropping the future is fine.
    pub(crate) async fn part(mut self) {
        let shared = &self.shared;
        if shared.is_draining() {
            return;
        }
        let parting = shared.parting.load(Ordering::Relaxed);
        if parting >= shared.limits.connections {
            return;
        }
        let sockets = shared.admitted.load(Ordering::Relaxed) + parting;
        let Some(turn) = shared.partings.turn(sockets, Instant::now()) else {
            return;
        };
        shared.parting.fetch_add(1, Ordering::AcqRel);
        shared.give_back();
        self.parts = true;
        self.of_address = None;
        tokio::time::sleep_until(turn).await;
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if self.parts {
            self.shared.parting.fetch_sub(1, Ordering::AcqRel);
        } else {
            self.shared.give_back();
        }
    }
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

#[cfg(test)]
mod tests {
    use super::super::{Endpoint, routes::Routes};
    use super::*;
    use crate::Rate;

    fn shared(limits: ServerLimits) -> Shared {
        let routes = Routes::build(vec![("/rpc".to_owned(), Endpoint::new())]).unwrap();
        Arc::into_inner(Shared::new(routes, limits)).unwrap()
    }

    /// A server that closes one socket in a second, after one connection of an address has ended, and another.
    async fn whose_second_socket_waits(shared: Shared) -> (Arc<Shared>, tokio::task::JoinHandle<()>) {
        let shared = Arc::new(shared);
        shared.admit(ADDRESS).unwrap().part().await;
        let parts = tokio::spawn(shared.admit(ADDRESS).unwrap().part());
        tokio::task::yield_now().await;
        assert!(!parts.is_finished());
        (shared, parts)
    }

    const ADDRESS: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    const SLOW: Rate = Rate::per_second(1);

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_over_has_no_place_any_more_while_its_socket_waits_to_be_closed() {
        let shared = shared(ServerLimits {
            connections: 1,
            connections_per_address: 1,
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        let (shared, parts) = whose_second_socket_waits(shared).await;
        let held = shared
            .admit(ADDRESS)
            .expect("there is a place, also of its address");
        assert_eq!(shared.admit(ADDRESS).err(), Some(NoPlace::AtAll));
        parts.await.unwrap();
        assert_eq!(
            shared.admit(ADDRESS).err(),
            Some(NoPlace::AtAll),
            "it was given back once"
        );
        drop(held);
        assert!(shared.admit(ADDRESS).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_sockets_wait_than_may_be_connected() {
        let shared = shared(ServerLimits {
            connections: 1,
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        let (shared, parts) = whose_second_socket_waits(shared).await;
        shared.admit(ADDRESS).unwrap().part().await;
        assert!(!parts.is_finished(), "the third did not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn where_descriptors_run_out_nobody_is_let_in_until_sockets_that_wait_are_closed() {
        let mut shared = shared(ServerLimits {
            disconnects: SLOW,
            connects: SLOW.burst(100),
            ..ServerLimits::default()
        });
        shared.most_sockets = 2;
        let (shared, parts) = whose_second_socket_waits(shared).await;
        let _held = shared.admit(None).unwrap();
        assert_eq!(shared.admit(None).err(), Some(NoPlace::AtAll));
        parts.await.unwrap();
        assert!(shared.admit(None).is_ok());
    }

    #[test]
    fn the_limit_on_open_files_leaves_room_to_answer_503() {
        assert!(open_files().is_none_or(|files| files > 0));
        assert_eq!(connections_within(64, 1_000), 24);
        assert_eq!(connections_within(1_024, 1_000), 864);
        assert_eq!(connections_within(1_000_000, 1_000), 998_968);
        assert_eq!(connections_within(10, 1_000), 1);
    }
}
