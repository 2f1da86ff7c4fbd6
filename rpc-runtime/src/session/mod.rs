//! Who is connected: what lives from connect to disconnect and is shared with the connection's calls.
//!
//! A session knows its client's id, how it connected, and how to reach its connection. It does not know frames.

pub(crate) mod afterwards;
mod attributes;
mod events;
mod held;
pub(crate) mod hooks;
mod info;
pub(crate) mod mailbox;
pub(crate) mod resume;
mod state;
mod stats;
mod stopping;

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use rpc_protocol::CloseCode;

use afterwards::Afterwards;
use attributes::Attributes;
pub(crate) use held::Held;
pub use hooks::{Hooks, Refusal, SessionError};
pub use info::{ConnectInfo, Headers, TlsInfo};
use mailbox::{Command, Mailbox, Report};
use resume::Tokens;
use state::CurrentState;
pub use state::SessionState;
use stats::Counters;
pub use stats::SessionStats;
use tokio::sync::{oneshot, watch};

use crate::{
    Server,
    auth::Identity,
    dispatch::panics,
    hub::SessionChannels,
    random,
    rate::SessionRates,
    router::Router,
    server::{ActiveEndpoint, Shared},
    streaming::Feedback,
};

/// The public name of a connected client: 128 random bits, written as 32 hexadecimal digits.
///
/// Others may see it (presence shows it), so it is never a credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(u128);

impl ClientId {
    /// A new id from the operating system's randomness.
    pub(crate) fn random() -> Self {
        Self(u128::from_ne_bytes(random::bytes()))
    }

    /// Which of `count` parts of a list the id belongs to.
    pub(crate) fn shard(self, count: usize) -> usize {
        (self.0 % count as u128) as usize
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Not the text of a client's id: 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client's id has 32 hexadecimal digits")]
#[non_exhaustive]
pub struct ClientIdError;

/// Reads what `Display` writes.
impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ClientIdError);
        }
        u128::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| ClientIdError)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

/// The longest body, in bytes, that a client takes which has not said another: the protocol's own.
const DEFAULT_ANSWER_BYTES: u32 = 4 << 20;

/// A connected client.
///
/// Handlers reach it through [`Context::session`](crate::Context::session) and may keep it; it does not keep the
/// connection open.
// What every event looks at stands together, at the beginning: of ten thousand sessions each is far from the processor when its turn comes.
#[repr(C)]
pub struct Session {
    pub(crate) mailbox: Mailbox,
    pub(crate) endpoint: Arc<ActiveEndpoint>,
    pub(crate) counters: Counters,
    state: CurrentState,
    /// How many sets of hooks have let it in; none any more once they were told that it has gone.
    pub(crate) let_in: AtomicU16,
    /// The longest body that the client takes: the protocol's own default until it says another.
    answer_bytes: AtomicU32,
    id: ClientId,
    info: ConnectInfo,
    started: SystemTime,
    /// Made when somebody first waits for a change.
    states: OnceLock<watch::Sender<SessionState>>,
    /// Changed by the connection's task alone, which has a copy of its own.
    identity: RwLock<Option<Identity>>,
    attributes: Attributes,
    /// The channels that it hears. Made when the first is subscribed to.
    channels: OnceLock<Box<SessionChannels>>,
    /// What the messages of all streams take in memory.
    held: AtomicU64,
    /// How much clean-up of its calls goes on.
    clean_ups: AtomicUsize,
    /// By what its client comes back, where it may.
    pub(crate) tokens: OnceLock<Box<Tokens>>,
    /// What it has taken of the rates of its endpoint, where that has any.
    rates: Option<Box<SessionRates>>,
    /// The server lists its sessions, and so each holds the other, but no longer than the connection lasts.
    server: Arc<Shared>,
}

impl Session {
    pub(crate) fn new(
        mut info: ConnectInfo,
        endpoint: Arc<ActiveEndpoint>,
        server: Arc<Shared>,
    ) -> Arc<Self> {
        let rates = endpoint.rates.as_ref();
        endpoint.meter.session_began(SessionState::Connecting);
        Arc::new(Self {
            rates: rates.map(|rates| Box::new(SessionRates::new(rates, &info))),
            id: ClientId::random(),
            identity: RwLock::new(info.take_identity()),
            info,
            started: SystemTime::now(),
            state: CurrentState::default(),
            states: OnceLock::new(),
            attributes: Attributes::default(),
            mailbox: Mailbox::default(),
            channels: OnceLock::new(),
            answer_bytes: AtomicU32::new(DEFAULT_ANSWER_BYTES),
            endpoint,
            held: AtomicU64::new(0),
            clean_ups: AtomicUsize::new(0),
            let_in: AtomicU16::new(0),
            counters: Counters::default(),
            tokens: OnceLock::new(),
            server,
        })
    }

    /// How much clean-up of its calls goes on.
    pub(crate) fn clean_ups(&self) -> usize {
        self.clean_ups.load(Ordering::Relaxed)
    }

    /// Where what outlives a call is counted.
    pub(crate) fn afterwards(&self) -> &Arc<Afterwards> {
        &self.server.afterwards
    }

    /// What it has taken of the rates of its endpoint, where that has any.
    pub(crate) fn rates(&self) -> Option<&SessionRates> {
        self.rates.as_deref()
    }

    /// What the messages of all streams take in memory.
    pub(crate) fn held_bytes(&self) -> usize {
        usize::try_from(self.held.load(Ordering::Relaxed)).unwrap_or(usize::MAX)
    }

    /// The methods that the client may call.
    pub(crate) fn router(&self) -> &Router {
        &self.endpoint.router
    }

    /// Where the session stands.
    pub fn state(&self) -> SessionState {
        self.state.get()
    }

    /// Where the session stands, and every change of it: a receiver that is slow sees the latest.
    pub fn state_changes(&self) -> watch::Receiver<SessionState> {
        let states = self.states.get_or_init(|| watch::Sender::new(self.state()));
        let receiver = states.subscribe();
        // The state may have changed while the sender was made.
        states.send_if_modified(|state| {
            let before = std::mem::replace(state, self.state());
            before != *state
        });
        receiver
    }

    /// Goes over to a state, which the endpoint's hooks are told. Called by the connection's task alone.
    pub(crate) fn set_state(self: &Arc<Self>, to: SessionState) {
        let from = self.state.set(to);
        if from == to {
            return;
        }
        self.endpoint.meter.session_went(from, to);
        if let Some(states) = self.states.get() {
            states.send_replace(to);
        }
        for hooks in self.endpoint.hooks.iter() {
            if let Err(panic) = panics::catch(|| hooks.on_state(self, from, to)) {
                tracing::error!(client = %self.id, panic, "a hook panicked");
            }
        }
    }

    /// Who is known to be connected; `None` while anonymous.
    ///
    /// It may change while a call runs. What the call was begun with is
    /// [`Context::identity`](crate::Context::identity).
    pub fn identity(&self) -> Option<Identity> {
        self.identity
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Called by the connection's task alone.
    pub(crate) fn set_identity(&self, identity: Option<Identity>) {
        if let Some(rates) = &self.rates {
            rates.set_user(identity.as_ref().map(Identity::shared_user));
        }
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// The id of the user that is known, if any.
    pub fn user(&self) -> Option<Arc<str>> {
        self.identity().map(|identity| identity.shared_user().clone())
    }

    /// Leaves a value in the session, which is found again by its type; gives the one that was there. Clones of what is
    /// expensive to clone go in an `Arc`.
    ///
    /// It stays when the user changes, and when an authentication that left it is refused. What belongs to a user goes into the
    /// [`Identity`], which changes with the user.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        self.attributes.insert(value)
    }

    /// What was left in the session, by its type.
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.attributes.get()
    }

    /// Takes what was left in the session, by its type.
    pub fn remove<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.attributes.remove()
    }

    /// The client's id.
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// How the client connected when the session began. One that has come back since may have come from another address.
    pub fn info(&self) -> &ConnectInfo {
        &self.info
    }

    /// When the connection was made.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// The server that the client is connected to.
    pub fn server(&self) -> Server {
        Server::of(&self.server)
    }

    /// What was counted of the session until now; once its connection is over, until then.
    pub fn stats(&self) -> SessionStats {
        let mut stats = self.counters.stats();
        stats.queued_bytes += self.queued_event_bytes() as u64;
        stats
    }

    /// How long the last ping took to be answered, which the server sends after a time of silence
    /// ([`Limits::ping_interval`](crate::Limits::ping_interval)) and where [`ping`](Self::ping) asks for it. `None` before
    /// the first.
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.counters.round_trip_time()
    }

    /// Measures the round-trip time now: sends a ping and waits for its answer. A connection has one ping on its way at a
    /// time, for which all wait who ask, and none within two seconds of the last: then this gives what that one took.
    ///
    /// `None` where the connection ends before the answer, or there is none within
    /// [`Limits::pong_timeout`](crate::Limits::pong_timeout), and before the client is greeted. Dropping the future is fine.
    pub async fn ping(&self) -> Option<Duration> {
        if self.state() == SessionState::Closed {
            return None;
        }
        let (asks, answer) = oneshot::channel();
        self.mailbox.send(Command::Ping(asks));
        let answer = tokio::time::timeout(self.endpoint.limits.pong_timeout, answer);
        answer.await.ok()?.ok()
    }

    /// Ends the session, and closes its connection with a close code and a reason, which the peer is told (cut to 123 bytes). A code that cannot be
    /// sent ([`CloseCode::may_be_sent`]), such as 1006, is sent as 1000.
    ///
    /// Returns at once; replies that are ready are sent before the close frame. Calls still running are cancelled. A session that
    /// is [detached](SessionState::Detached) ends. Does nothing where the connection is closed already.
    pub fn close(&self, code: CloseCode, reason: impl Into<String>) {
        if self.state() == SessionState::Closed {
            return;
        }
        self.mailbox.send(Command::Close {
            code,
            reason: reason.into(),
        });
    }

    /// Has its connection tell the client that the server stops, if it has not yet.
    pub(crate) fn drain(&self) {
        self.mailbox.send(Command::Drain);
    }
}

/// The readers of clients' streams are polled by handlers, on any task; their connection hears of it in its next turn.
impl Feedback for Session {
    fn consumed(&self, stream_id: u64, bytes: usize) {
        self.mailbox.report(Report::Consumed { stream_id, bytes });
    }

    fn abandoned(&self, stream_id: u64) {
        self.mailbox.report(Report::Abandoned { stream_id });
    }

    fn fault(&self) {
        self.mailbox.report(Report::Fault);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Nothing, where it was closed.
        self.endpoint.meter.session_ended(self.state());
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("state", &self.state())
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
