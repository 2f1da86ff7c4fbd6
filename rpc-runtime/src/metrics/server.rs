//! The metrics of a server, shared by its endpoints and connections, and the switch in front of them.

use std::{fmt, sync::Arc};

use metrics::{Counter, Gauge, Label, with_recorder};
use rpc_protocol::CloseCode;

use super::{
    family::{LazyCounter, counter, gauge},
    names,
};
use crate::{
    SessionState,
    auth::{AuthError, Source},
};

/// Where a server counts, if it does. Cloning is cheap; switched off, every method is one look at `None`.
#[derive(Clone, Default)]
pub(crate) struct Meter(Option<Arc<ServerMetrics>>);

/// The handles of one server.
pub(super) struct ServerMetrics {
    /// By the state, without `Closed`: what is over is in no gauge.
    sessions: [Gauge; SessionState::ALL.len() - 1],
    handshakes: [LazyCounter; HandshakeOutcome::LABELS.len()],
    authentications: [[LazyCounter; AuthenticationOutcome::LABELS.len()]; SOURCES.len()],
    resumes: [LazyCounter; ResumeOutcome::LABELS.len()],
    refused: [LazyCounter; RefusedCall::LABELS.len()],
    /// By the named code and one for all others, and by the side.
    closes: [[LazyCounter; Side::LABELS.len()]; CloseCode::ALL.len() + 1],
    pub(super) connections: Counter,
    one_way_failures: Counter,
    unpublished_changes: Counter,
    pub(super) received_messages: Counter,
    pub(super) sent_messages: Counter,
    pub(super) received_bytes: Counter,
    pub(super) sent_bytes: Counter,
    pub(super) open_calls: Gauge,
    pub(super) queued_bytes: Gauge,
    pub(super) unflushed_bytes: Gauge,
    pub(super) held_bytes: Gauge,
    pub(super) queued_events: Gauge,
}

/// What came of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum HandshakeOutcome {
    /// Answered with 101, and not for the sake of a close code.
    Accepted = 0,
    /// No endpoint on the path: 404.
    NotFound,
    /// No upgrade to WebSocket, or a wrong one: 400 or 426.
    Malformed,
    /// No subprotocol, or an unknown one: closed with 4504.
    Subprotocol,
    /// A page of an origin that may not connect: 403.
    Origin,
    /// The server stops: 503.
    Stopping,
    /// As many connections as there may be: 503.
    Connections,
    /// As many connections of the address as there may be: 429.
    AddressConnections,
    /// Too many new connections: 503.
    Rate,
    /// Too many new connections of the address: 429.
    AddressRate,
    /// A credential that was not accepted, or could not be looked at: 401, 503, or closed with 4500, 4401 or 1013.
    Credential,
    /// As many handshakes under way as there may be: closed silently.
    Handshakes,
    /// Not over in time, or given up by the client before it was looked at: closed silently.
    Timeout,
    /// TLS failed.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "no other handshake than one of TLS ends so")
    )]
    Tls,
}

impl HandshakeOutcome {
    const LABELS: [&str; 14] = [
        "accepted",
        "not_found",
        "malformed",
        "subprotocol",
        "origin",
        "stopping",
        "connections",
        "address_connections",
        "rate",
        "address_rate",
        "credential",
        "handshakes",
        "timeout",
        "tls",
    ];
}

/// What came of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum AuthenticationOutcome {
    Accepted = 0,
    Invalid,
    Expired,
    Unavailable,
    UnknownScheme,
    /// The authenticator panicked.
    Panicked,
    /// A refresh named another user.
    SubjectChanged,
}

impl AuthenticationOutcome {
    const LABELS: [&str; 7] = [
        "accepted",
        "invalid",
        "expired",
        "unavailable",
        "unknown_scheme",
        "panicked",
        "subject_changed",
    ];
}

impl From<&AuthError> for AuthenticationOutcome {
    fn from(error: &AuthError) -> Self {
        match error {
            AuthError::UnknownScheme => Self::UnknownScheme,
            AuthError::Invalid(_) => Self::Invalid,
            AuthError::Expired => Self::Expired,
            AuthError::Unavailable(_) => Self::Unavailable,
        }
    }
}

/// What came of a client that has shown a resume token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum ResumeOutcome {
    /// Its session goes on, without its calls.
    Session = 0,
    /// Its session goes on, and its calls with it.
    Streams,
    /// There is no such session, or not any more.
    Unknown,
    /// More was sent than was kept.
    Missed,
    /// It is somebody else.
    Identity,
    /// The token is used up.
    Replayed,
}

impl ResumeOutcome {
    const LABELS: [&str; 6] = ["session", "streams", "unknown", "missed", "identity", "replayed"];
}

/// Where credentials come from, by [`Source`].
const SOURCES: [&str; 4] = ["header", "cookie", "subprotocol", "in_band"];

/// Why a call did not reach its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum RefusedCall {
    /// Over a rate.
    Rate = 0,
    /// Nobody is known, and somebody has to be.
    Unauthenticated,
    /// A guard said no.
    Guard,
    /// Over a limit of the connection: calls at a time, calls in a short time, lengths, queues.
    Limit,
    /// The server stops.
    Stopping,
}

impl RefusedCall {
    const LABELS: [&str; 5] = ["rate", "unauthenticated", "guard", "limit", "stopping"];
}

/// Which side closed a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Side {
    Server = 0,
    Client,
    /// It broke.
    Neither,
}

impl Side {
    const LABELS: [&str; 3] = ["server", "client", "neither"];
}

impl Meter {
    /// Counts from now on, in what is the recorder now.
    pub(crate) fn on() -> Self {
        Self(Some(Arc::new(ServerMetrics::new())))
    }

    pub(super) fn server(&self) -> Option<&Arc<ServerMetrics>> {
        self.0.as_ref()
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// A session has begun, in its first state.
    pub(crate) fn session_began(&self, state: SessionState) {
        if let Some(server) = &self.0 {
            server.add_sessions(state, 1.0);
        }
    }

    /// A session has gone from one state to another.
    pub(crate) fn session_went(&self, from: SessionState, to: SessionState) {
        if let Some(server) = &self.0 {
            server.add_sessions(from, -1.0);
            server.add_sessions(to, 1.0);
        }
    }

    /// A session is gone, from its last state.
    pub(crate) fn session_ended(&self, state: SessionState) {
        if let Some(server) = &self.0 {
            server.add_sessions(state, -1.0);
        }
    }

    /// A handshake is over.
    pub(crate) fn handshake(&self, outcome: HandshakeOutcome) {
        if let Some(server) = &self.0 {
            let at = outcome as usize;
            server.handshakes[at].add(1, names::HANDSHAKES, || {
                vec![Label::from_static_parts("outcome", HandshakeOutcome::LABELS[at])]
            });
        }
    }

    /// A credential was looked at.
    pub(crate) fn authentication(&self, source: Source, outcome: AuthenticationOutcome) {
        if let Some(server) = &self.0 {
            let (source, at) = (source as usize, outcome as usize);
            server.authentications[source][at].add(1, names::AUTHENTICATIONS, || {
                vec![
                    Label::from_static_parts("source", SOURCES[source]),
                    Label::from_static_parts("outcome", AuthenticationOutcome::LABELS[at]),
                ]
            });
        }
    }

    /// A client has shown a resume token.
    pub(crate) fn resume(&self, outcome: ResumeOutcome) {
        if let Some(server) = &self.0 {
            let at = outcome as usize;
            server.resumes[at].add(1, names::RESUMES, || {
                vec![Label::from_static_parts("outcome", ResumeOutcome::LABELS[at])]
            });
        }
    }

    /// A call was refused before its handler.
    pub(crate) fn refused(&self, why: RefusedCall) {
        self.refused_so_many(why, 1);
    }

    pub(super) fn refused_so_many(&self, why: RefusedCall, count: u64) {
        if let Some(server) = &self.0 {
            let at = why as usize;
            server.refused[at].add(count, names::REFUSED_CALLS, || {
                vec![Label::from_static_parts("reason", RefusedCall::LABELS[at])]
            });
        }
    }

    /// A one-way call has failed.
    pub(crate) fn one_way_failure(&self) {
        if let Some(server) = &self.0 {
            server.one_way_failures.increment(1);
        }
    }

    /// A call has changed something, and nobody was told.
    pub(crate) fn unpublished_change(&self) {
        if let Some(server) = &self.0 {
            server.unpublished_changes.increment(1);
        }
    }

    /// A connection has ended. A peer may send any code: those without a name are one series.
    pub(crate) fn closed(&self, code: CloseCode, by: Side) {
        if let Some(server) = &self.0 {
            let named = CloseCode::ALL.iter().position(|candidate| *candidate == code);
            server.closes[named.unwrap_or(CloseCode::ALL.len())][by as usize].add(1, names::CLOSES, || {
                let code = named.map_or_else(|| "other".to_owned(), |_| code.to_string());
                vec![
                    Label::new("code", code),
                    Label::from_static_parts("by", Side::LABELS[by as usize]),
                ]
            });
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Meter").field(&self.is_on()).finish()
    }
}

impl ServerMetrics {
    fn new() -> Self {
        with_recorder(|recorder| {
            names::describe(recorder);
            let counter = |name| counter(recorder, name, Vec::new());
            let level = |name| gauge(recorder, name, Vec::new());
            Self {
                sessions: std::array::from_fn(|at| {
                    let state = SessionState::ALL[at].to_string();
                    gauge(recorder, names::SESSIONS, vec![Label::new("state", state)])
                }),
                handshakes: Default::default(),
                authentications: Default::default(),
                resumes: Default::default(),
                refused: Default::default(),
                closes: Default::default(),
                connections: counter(names::CONNECTIONS),
                one_way_failures: counter(names::ONE_WAY_FAILURES),
                unpublished_changes: counter(names::UNPUBLISHED_CHANGES),
                received_messages: counter(names::RECEIVED_MESSAGES),
                sent_messages: counter(names::SENT_MESSAGES),
                received_bytes: counter(names::RECEIVED_BYTES),
                sent_bytes: counter(names::SENT_BYTES),
                open_calls: level(names::OPEN_CALLS),
                queued_bytes: level(names::QUEUED_BYTES),
                unflushed_bytes: level(names::UNFLUSHED_BYTES),
                held_bytes: level(names::HELD_BYTES),
                queued_events: level(names::HUB_QUEUED_BYTES),
            }
        })
    }

    fn add_sessions(&self, state: SessionState, count: f64) {
        // `Closed` has none.
        if let Some(gauge) = self.sessions.get(state as usize) {
            gauge.increment(count);
        }
    }
}
