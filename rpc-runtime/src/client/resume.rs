//! By what a client comes back to its session, over all its connections.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rpc_protocol::{CloseCode, frame::Greeting};
use tokio::time::Instant;

/// The token of a client's session, where its server keeps sessions.
#[derive(Debug)]
pub(super) struct Resumption {
    /// Whether the client comes back to its session at all.
    enabled: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The connection that counts.
    link: u64,
    /// Secret; empty: there is none.
    token: String,
    /// How long it is good after the connection is lost.
    within: Duration,
    lost: Option<Lost>,
    /// The program signs out: a connection that is made now is not to be whom it was.
    leaves: bool,
}

#[derive(Clone, Copy)]
struct Lost {
    at: Instant,
    received: u64,
}

/// What a connection asks to go on with.
#[derive(Clone)]
pub(super) struct Return {
    token: String,
    received: u64,
}

impl Return {
    /// The client's first frame. Calls that ran do not go on: nothing is left of what was sent for them.
    pub(super) fn greeting(self) -> Greeting {
        Greeting {
            resume_token: self.token,
            received_frames: self.received,
            replay_after: u64::MAX,
            ..Greeting::default()
        }
    }
}

impl Resumption {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            kept: Mutex::default(),
        }
    }

    /// How much is kept of frames of calls, of what the program allows.
    pub(super) fn replay_bytes(&self, allowed: usize) -> usize {
        match self.enabled {
            true => allowed,
            false => 0,
        }
    }

    /// Until when a session that was lost may be gone back to; `None`: there is none, or the clock cannot hold it.
    pub(super) fn until(&self) -> Option<Instant> {
        let kept = self.lock();
        kept.lost?.at.checked_add(kept.within)
    }

    /// What to come back with, where there is a session that may wait still.
    pub(super) fn to_return(&self) -> Option<Return> {
        let kept = self.lock();
        let lost = kept.lost?;
        let is_good = !kept.leaves && !kept.token.is_empty() && lost.at.elapsed() < kept.within;
        is_good.then(|| Return {
            token: kept.token.clone(),
            received: lost.received,
        })
    }

    /// The program signs out: until the server has said so, no connection that is begun goes back to the session.
    pub(super) fn leaves(&self) {
        self.lock().leaves = true;
    }

    /// The server has signed the session out, which may be gone back to again.
    pub(super) fn stays(&self) {
        self.lock().leaves = false;
    }

    /// The server has greeted on the connection with this number, which is the one that counts from now on. Whether its token is
    /// kept, in place of another.
    pub(super) fn greeted(&self, link: u64, greeting: &Greeting) -> bool {
        let mut kept = self.lock();
        if kept.link > link {
            return false;
        }
        *kept = Kept {
            link,
            ..Kept::default()
        };
        if self.enabled {
            kept.token.clone_from(&greeting.resume_token);
            kept.within = Duration::from_micros(greeting.resume_within_us);
        }
        greeting.resumed && !kept.token.is_empty()
    }

    /// The server has replaced the token. Whether it is kept.
    pub(super) fn renewed(&self, link: u64, token: String) -> bool {
        let mut kept = self.lock();
        let counts = self.enabled && kept.link == link && !token.is_empty();
        if counts {
            kept.token = token;
        }
        counts
    }

    /// A connection has ended. `settled`: the client is who the server takes it for.
    pub(super) fn ended(&self, link: u64, code: CloseCode, received: u64, settled: bool) {
        let mut kept = self.lock();
        if kept.link != link || kept.lost.is_some() {
            return;
        }
        // Any other code says that the session has ended.
        if settled && matches!(code, CloseCode::Abnormal | CloseCode::TooSlow) {
            kept.lost = Some(Lost {
                at: Instant::now(),
                received,
            });
        } else {
            kept.token.clear();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while the lock is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("link", &self.link)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}
