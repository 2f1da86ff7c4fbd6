//! Sessions whose clients may come back: where their tokens lead, and those that wait without a connection.
//!
//! What such a session does meanwhile is the connection's (`server/connection/detaching.rs`); here it is only found, and their number
//! is bounded.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::shared::Shared;
use crate::{
    Session,
    session::{mailbox::Command, resume::Hash},
};

/// The list is split so that connects and disconnects on several cores seldom meet.
const SHARDS: usize = 16;

/// The sessions that may be resumed, connected or not.
#[derive(Debug, Default)]
pub(super) struct Resumable {
    /// By the hash of what their tokens begin with.
    named: [Mutex<HashMap<Hash, Arc<Session>>>; SHARDS],
    detached: Mutex<Waiting>,
}

/// The sessions without a connection, in the order in which they have lost it.
#[derive(Debug, Default)]
struct Waiting {
    sessions: BTreeMap<u64, Arc<Session>>,
    /// How many there have been.
    count: u64,
}

impl Resumable {
    fn shard(&self, name: &Hash) -> MutexGuard<'_, HashMap<Hash, Arc<Session>>> {
        lock(&self.named[usize::from(name[0]) % SHARDS])
    }
}

impl Shared {
    /// The session that a token is of.
    pub(super) fn session_of_token(&self, name: &Hash) -> Option<Arc<Session>> {
        self.resumable.shard(name).get(name).cloned()
    }

    /// Has a session found by its tokens, for as long as the result lives.
    pub(super) fn list_resumable(self: &Arc<Self>, name: Hash, session: &Arc<Session>) -> Listed {
        self.resumable.shard(&name).insert(name, session.clone());
        Listed {
            shared: self.clone(),
            name,
        }
    }

    /// Takes up a session that has lost its connection, for as long as the result lives. Where there are too many, the one that
    /// has waited longest is given up.
    pub(super) fn detach(self: &Arc<Self>, session: &Arc<Session>) -> Waits {
        let mut waiting = lock(&self.resumable.detached);
        waiting.count += 1;
        let number = waiting.count;
        waiting.sessions.insert(number, session.clone());
        let oldest = match waiting.sessions.len() > self.limits.detached_sessions {
            true => waiting.sessions.pop_first(),
            false => None,
        };
        drop(waiting);
        if let Some((number, oldest)) = oldest {
            oldest.mailbox.send(Command::GiveUp(number));
        }
        Waits {
            shared: self.clone(),
            number,
        }
    }
}

/// A session's place among those that tokens find.
#[derive(Debug)]
pub(super) struct Listed {
    shared: Arc<Shared>,
    name: Hash,
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.shared.resumable.shard(&self.name).remove(&self.name);
    }
}

/// A session's place among those that wait.
#[derive(Debug)]
pub(super) struct Waits {
    shared: Arc<Shared>,
    number: u64,
}

impl Waits {
    /// By which it is told to be given up.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        lock(&self.shared.resumable.detached)
            .sessions
            .remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
