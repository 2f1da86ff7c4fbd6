//! Who is connected: what lives from connect to disconnect and is shared with the connection's calls.
//!
//! A session knows its client's id, how it connected, and how to reach its connection. It does not know frames.

pub(crate) mod afterwards;
mod held;
mod info;
pub(crate) mod mailbox;
mod stopping;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use rpc_protocol::CloseCode;

use afterwards::Afterwards;
pub(crate) use held::Held;
pub use info::{ConnectInfo, Headers, TlsInfo};
use mailbox::{Command, Mailbox, Report};

use crate::{random, router::Router, streaming::Feedback};

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

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

/// A connected client.
///
/// Handlers reach it through [`Context::session`](crate::Context::session) and may keep it; it does not keep the
/// connection open.
pub struct Session {
    id: ClientId,
    info: ConnectInfo,
    started: SystemTime,
    pub(crate) mailbox: Mailbox,
    pub(crate) router: Arc<Router>,
    /// What the messages of all streams take in memory.
    held: AtomicU64,
    /// How much clean-up of its calls goes on.
    clean_ups: AtomicUsize,
    /// Where what outlives a call is counted.
    pub(crate) afterwards: Arc<Afterwards>,
}

impl Session {
    pub(crate) fn new(info: ConnectInfo, router: Arc<Router>, afterwards: Arc<Afterwards>) -> Arc<Self> {
        Arc::new(Self {
            id: ClientId::random(),
            info,
            started: SystemTime::now(),
            mailbox: Mailbox::default(),
            router,
            held: AtomicU64::new(0),
            clean_ups: AtomicUsize::new(0),
            afterwards,
        })
    }

    /// How much clean-up of its calls goes on.
    pub(crate) fn clean_ups(&self) -> usize {
        self.clean_ups.load(Ordering::Relaxed)
    }

    /// The client's id.
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// How the client connected.
    pub fn info(&self) -> &ConnectInfo {
        &self.info
    }

    /// When the connection was made.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Closes the connection with a close code and a reason, which the peer is told (cut to 123 bytes).
    ///
    /// Returns at once; replies that are ready are sent before the close frame. Calls still running are cancelled.
    pub fn close(&self, code: CloseCode, reason: impl Into<String>) {
        self.mailbox.send(Command::Close {
            code,
            reason: reason.into(),
        });
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
