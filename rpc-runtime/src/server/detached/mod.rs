//! Sessions whose clients may come back: where their tokens lead, and those that wait without a connection.
//!
//! What such a session does meanwhile is the connection's (`server/connection/detaching.rs`); here it is only found, and their number
//! and what they hold are bounded.

mod waiting;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::shared::Shared;
use crate::{
    Session,
    session::{mailbox::Command, resume::Hash},
};
use waiting::Waiting;

/// The list is split so that connects and disconnects on several cores seldom meet.
const SHARDS: usize = 16;

/// What a session holds is counted in steps of so many bytes, so that not every event that comes for it is news to all.
const COUNTED: usize = 4 * 1024;

/// The sessions that may be resumed, connected or not.
#[derive(Debug, Default)]
pub(super) struct Resumable {
    /// By the hash of what their tokens begin with.
    named: [Mutex<HashMap<Hash, Arc<Session>>>; SHARDS],
    detached: Mutex<Waiting>,
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
        let number = waiting.add(session.clone());
        let oldest = waiting.oldest_beyond(self.limits.detached_sessions);
        drop(waiting);
        give_up(oldest);
        Waits {
            shared: self.clone(),
            number,
            held: 0,
        }
    }
}

/// Tells sessions that they wait no longer.
fn give_up(sessions: impl IntoIterator<Item = (u64, Arc<Session>)>) {
    for (number, session) in sessions {
        session.mailbox.send(Command::GiveUp(number));
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
    /// As much as is counted of what it holds.
    held: usize,
}

impl Waits {
    /// By which it is told to be given up.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Says how many bytes the session holds now. Where all of them hold too much, those that hold most are given up; it may be
    /// one of them.
    pub(super) fn hold(&mut self, bytes: usize) {
        let held = bytes.next_multiple_of(COUNTED);
        if std::mem::replace(&mut self.held, held) == held {
            return;
        }
        let mut waiting = lock(&self.shared.resumable.detached);
        waiting.hold(self.number, held);
        let largest = waiting.largest_beyond(self.shared.limits.detached_bytes);
        drop(waiting);
        give_up(largest);
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        lock(&self.shared.resumable.detached).remove(self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
