//! The states of a session.

use std::{
    fmt,
    sync::atomic::{AtomicU8, Ordering},
};

/// Where a session stands.
///
/// ```text
///                 ┌────────── sign out ─────────────┐
///                 ▼                                 │
/// Connecting ─▶ Anonymous ◀─ refused ─ Authenticating ─ accepted ─▶ Authenticated
///     │           │                         ▲   ▲                    │   │
///     │           └──────── a credential ───┘   └──── another user ──┘   │
///     └── authenticated at the handshake ────────────────────────────────┘
///
/// any of them ─▶ Draining (the server stops) ─▶ Closed;   any of them ─▶ Closed
/// Anonymous, Authenticated ─ connection lost ─▶ Detached ─ client back ─▶ as before;   Detached ─▶ Closed
/// ```
///
/// A refresh of the same user's identity changes nothing. A refused change of user goes back to `Authenticated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum SessionState {
    /// The handshake, and the hooks that run before the client is greeted.
    Connecting = 0,
    /// Greeted, and nobody is known.
    Anonymous = 1,
    /// A credential is looked at. The identity before it, if any, is still in force.
    Authenticating = 2,
    /// A user is known.
    Authenticated = 3,
    /// The server stops: running calls finish. Identity and all else stay as they were.
    Draining = 4,
    /// The connection was lost, and the client may come back to the session
    /// ([`Limits::resume_window`](crate::Limits::resume_window)). Identity and all else stay as they were.
    Detached = 5,
    /// The session is over: its connection is closed, or is being closed.
    Closed = 6,
}

impl SessionState {
    /// In the order of the numbers, with the last one last.
    pub(crate) const ALL: [Self; 7] = [
        Self::Connecting,
        Self::Anonymous,
        Self::Authenticating,
        Self::Authenticated,
        Self::Draining,
        Self::Detached,
        Self::Closed,
    ];
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Anonymous => "anonymous",
            Self::Authenticating => "authenticating",
            Self::Authenticated => "authenticated",
            Self::Draining => "draining",
            Self::Detached => "detached",
            Self::Closed => "closed",
        })
    }
}

/// A state that others look at. Its connection's task alone changes it.
#[derive(Debug, Default)]
pub(super) struct CurrentState(AtomicU8);

impl CurrentState {
    pub(super) fn get(&self) -> SessionState {
        SessionState::ALL[usize::from(self.0.load(Ordering::Acquire))]
    }

    /// Gives the state before.
    pub(super) fn set(&self, state: SessionState) -> SessionState {
        SessionState::ALL[usize::from(self.0.swap(state as u8, Ordering::AcqRel))]
    }
}
