//! What a server has said: who the client is, and its greeting.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rpc_protocol::{PeerLimits, frame};
use tokio::time::Instant;

use crate::Metadata;

/// Who a client is, as the server has said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientIdentity {
    user: Option<Arc<str>>,
    expires: Option<Instant>,
    expires_soon: bool,
}

impl ClientIdentity {
    pub(in crate::client) fn new(user: &str, expires_in_us: u64, expires_soon: bool, now: Instant) -> Self {
        Self {
            user: (!user.is_empty()).then(|| user.into()),
            expires: microseconds(expires_in_us).and_then(|left| now.checked_add(left)),
            expires_soon,
        }
    }

    /// The user's id; `None`: nobody is known, the client is anonymous.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Whether nobody is known.
    pub fn is_anonymous(&self) -> bool {
        self.user.is_none()
    }

    /// When that ends, as the server has said; `None`: never. Told by this machine's monotonic clock, and so a little too
    /// late: by the time that the message was on its way.
    pub fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Whether the server has warned that it ends soon, and nothing has come of that yet.
    pub fn expires_soon(&self) -> bool {
        self.expires_soon
    }
}

/// What a server says when a connection begins. Cloning is cheap.
#[derive(Clone)]
pub struct ServerGreeting(Arc<Facts>);

struct Facts {
    greeting: frame::Greeting,
    metadata: Metadata,
    limits: PeerLimits,
}

impl ServerGreeting {
    pub(in crate::client) fn new(mut greeting: frame::Greeting) -> Self {
        let metadata = std::mem::take(&mut greeting.metadata).into();
        // A secret that nobody is to be shown.
        greeting.resume_token = String::new();
        Self(Arc::new(Facts {
            limits: PeerLimits::of(&greeting),
            metadata,
            greeting,
        }))
    }

    /// The name by which others on the server know this client. No secret, and another one after a reconnect, unless its session was
    /// [resumed](Self::resumed).
    pub fn client_id(&self) -> &str {
        &self.0.greeting.client_id
    }

    /// Whether calls are refused until the client authenticates.
    pub fn authentication_required(&self) -> bool {
        self.0.greeting.authentication_required
    }

    /// How long the client had for that, from the greeting on.
    pub fn authenticate_within(&self) -> Option<Duration> {
        microseconds(self.0.greeting.authenticate_within_us)
    }

    /// Whether the session is the one of the connection before: the same client id, identity, attributes and subscriptions. Otherwise
    /// it is a new one.
    pub fn resumed(&self) -> bool {
        self.0.greeting.resumed
    }

    /// Whether calls that ran on the connection before go on ([`ClientLimits::replay_bytes`](crate::ClientLimits::replay_bytes)).
    pub fn streams_resumed(&self) -> bool {
        self.0.greeting.streams_resumed
    }

    /// How long the session waits for this client when the connection is lost. `None`: it does not.
    pub fn resume_within(&self) -> Option<Duration> {
        microseconds(self.0.greeting.resume_within_us)
    }

    /// How long either side may be silent before the other asks whether it is there. `None`: the server does not say.
    pub fn heartbeat_interval(&self) -> Option<Duration> {
        microseconds(self.0.greeting.heartbeat_interval_us)
    }

    /// How long the answer to that may take. `None`: the server does not say.
    pub fn heartbeat_timeout(&self) -> Option<Duration> {
        microseconds(self.0.greeting.heartbeat_timeout_us)
    }

    /// How long a connection may be of no use before the server closes it. `None`: for ever, or the server does not say.
    pub fn idle_timeout(&self) -> Option<Duration> {
        let limits = self.0.greeting.limits.as_ref()?;
        microseconds(limits.idle_timeout_us)
    }

    /// The server's clock when it greeted. `None`: the server does not say.
    pub fn server_time(&self) -> Option<SystemTime> {
        let since = microseconds(self.0.greeting.server_time_us)?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    }

    /// The channel that only this client hears; empty where there is none.
    pub fn own_channel(&self) -> &str {
        &self.0.greeting.own_channel
    }

    /// The longest WebSocket message that the server takes, in bytes. Longer bodies go out in several, by themselves.
    pub fn max_message_bytes(&self) -> usize {
        self.0.limits.max_message_bytes
    }

    /// The longest request, or message of a stream, that the server takes, in bytes.
    pub fn max_body_bytes(&self) -> usize {
        self.0.limits.max_body_bytes
    }

    /// How many calls of this client the server runs at a time. Others wait before they are sent.
    pub fn max_streams(&self) -> usize {
        self.0.limits.max_streams
    }

    /// What else the server says of itself.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }
}

impl fmt::Debug for ServerGreeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ServerGreeting").field(&self.0.greeting).finish()
    }
}

/// 0 says nothing.
fn microseconds(number: u64) -> Option<Duration> {
    (number != 0).then(|| Duration::from_micros(number))
}
