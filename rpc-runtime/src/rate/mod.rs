//! How much clients may do in a time: rates of messages and bytes, of a session, a user, an address or all callers.
//!
//! What is over a rate is answered RESOURCE_EXHAUSTED with the time after which to try again, before anything else is done
//! for it. This module knows sessions, and no frames: `dispatch` asks it for calls, and the inboxes of streams for messages.

mod limiter;
mod rates;
mod table;

use std::time::Duration;

pub(crate) use rates::{Meter, Metered, Rates, SessionRates};

/// So much in a time, and a burst that may be taken at once.
///
/// What was taken comes back evenly: of 60 a minute, one each second (GCRA). The time for each one is kept to whole
/// nanoseconds, so that very fast rates let a little more pass: at most a hundredth up to ten million each second.
///
/// ```
/// use rpc_runtime::Rate;
///
/// let rate = Rate::per_second(50).burst(200);
/// # let _ = rate;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub(crate) amount: u32,
    pub(crate) time: Duration,
    pub(crate) burst: u32,
}

impl Rate {
    /// So much each second, and as much in a burst.
    pub const fn per_second(amount: u32) -> Self {
        Self::per(amount, Duration::from_secs(1))
    }

    /// So much each minute, and as much in a burst.
    pub const fn per_minute(amount: u32) -> Self {
        Self::per(amount, Duration::from_secs(60))
    }

    /// So much in each `time`, and as much in a burst.
    pub const fn per(amount: u32, time: Duration) -> Self {
        Self {
            amount,
            time,
            burst: amount,
        }
    }

    /// Sets how much may be taken at once, after as long a pause.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }
}

/// A rate, what it counts, and whose it is.
///
/// A call that is over one is answered RESOURCE_EXHAUSTED with a [`RetryInfo`](crate::status::RetryInfo) before anything
/// else is done for it. A stream whose message is over one ends with that status, behind the messages before it. A call
/// counts on all rates that are meant for it, those that fewest share first: session, user, address, all. What one of them
/// refuses takes nothing of those behind it.
///
/// What users and addresses have taken is remembered for as long as they have a connection, and behind the last one until
/// everything has come back; of those who are gone, 16,384 at least are remembered at a time, whoever went last.
///
/// ```
/// use rpc_runtime::{Rate, RateLimit, Server};
///
/// let server = Server::builder()
///     // Calls and messages of streams, of each connection.
///     .rate_limit(RateLimit::messages(Rate::per_second(1_000)).each_session())
///     // Bytes of their bodies, of each user over all connections.
///     .rate_limit(RateLimit::bytes(Rate::per_second(1 << 20)).each_user())
///     // Guessing takes long, from wherever it comes.
///     .rate_limit(RateLimit::messages(Rate::per_minute(10)).each_address().of_method("task.AuthService/Login"));
/// # let _ = server;
/// ```
#[derive(Debug, Clone)]
pub struct RateLimit {
    pub(crate) counts: Counts,
    pub(crate) rate: Rate,
    pub(crate) scope: Scope,
    pub(crate) method: Option<String>,
}

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counts {
    Messages,
    Bytes,
}

/// Whose rate it is. Sorted: those whom fewest share come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Session,
    User,
    Address,
    All,
}

impl RateLimit {
    /// Counts calls, and of clients' streams each message beside the call.
    pub fn messages(rate: Rate) -> Self {
        Self::new(Counts::Messages, rate)
    }

    /// Counts bytes of the bodies that clients send, as they are on the wire: of a message that came in parts, when it is
    /// whole; of one that is compressed, before it is inflated.
    ///
    /// A body that is longer than the rate's [burst](Rate::burst) is never accepted, and the client is told so. A burst below
    /// [`Limits::body_bytes`](crate::Limits::body_bytes) is thus a smaller limit on bodies.
    pub fn bytes(rate: Rate) -> Self {
        Self::new(Counts::Bytes, rate)
    }

    fn new(counts: Counts, rate: Rate) -> Self {
        Self {
            counts,
            rate,
            scope: Scope::Session,
            method: None,
        }
    }

    /// Each connection has this rate. So it is where nothing else is said.
    #[must_use]
    pub fn each_session(mut self) -> Self {
        self.scope = Scope::Session;
        self
    }

    /// Each user has this rate, over all connections. Anonymous connections have it each.
    #[must_use]
    pub fn each_user(mut self) -> Self {
        self.scope = Scope::User;
        self
    }

    /// Each address has this rate, over all connections; of IPv6 each network of 64 bits.
    #[must_use]
    pub fn each_address(mut self) -> Self {
        self.scope = Scope::Address;
        self
    }

    /// All callers share this rate.
    #[must_use]
    pub fn of_all(mut self) -> Self {
        self.scope = Scope::All;
        self
    }

    /// Counts this method alone, by its full name, such as `task.TaskService/AddTask`. A server that does not serve the
    /// method does not start.
    #[must_use]
    pub fn of_method(mut self, full_name: impl Into<String>) -> Self {
        self.method = Some(full_name.into());
        self
    }
}
