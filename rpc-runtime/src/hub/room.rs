//! How much an answer has room for, and the session whose answers are made at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{MutexGuard, OnceCell, OwnedMutexGuard, SemaphorePermit};

use super::keeping::CatchUps;
use crate::Session;

/// How many bytes of events and snapshots an answer has room for, of all channels that are asked for in it at once.
#[derive(Debug, Clone)]
pub(crate) struct Room(Arc<Answer>);

#[derive(Debug)]
struct Answer {
    left: AtomicUsize,
    /// The session's, where its client has asked. What the server tells it goes into its queue, which is bounded by itself.
    catch_ups: Option<Arc<CatchUps>>,
    /// How much of what it has taken is on that account.
    on_account: AtomicUsize,
    /// It is this call's turn, until it is answered: what it takes is on no account.
    turn: OnceCell<OwnedMutexGuard<()>>,
}

/// Whether something fits into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fits {
    /// It does, and has its room.
    Now,
    /// It does, when it is the answer's [turn](Room::turn): others of the session hold too much.
    Later,
    /// It does not.
    Never,
}

impl Room {
    /// Room in what the server tells a client.
    pub(crate) fn new(bytes: usize) -> Self {
        Self::with(bytes, None)
    }

    /// Room in the answer of a client's call.
    pub(crate) fn of_call(bytes: usize, session: &Session) -> Self {
        Self::with(bytes, Some(session.make_channels().catch_ups()))
    }

    fn with(bytes: usize, catch_ups: Option<Arc<CatchUps>>) -> Self {
        Self(Arc::new(Answer {
            left: AtomicUsize::new(bytes),
            catch_ups,
            on_account: AtomicUsize::new(0),
            turn: OnceCell::new(),
        }))
    }

    /// Takes room, where there is so much in the answer.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        less(&self.0.left, bytes)
    }

    /// Takes room for what was read, in the answer and among those of its session.
    pub(super) fn fits(&self, bytes: usize) -> Fits {
        if !self.take(bytes) {
            return Fits::Never;
        }
        match &self.0.catch_ups {
            Some(catch_ups) if !self.0.turn.initialized() => {
                if !catch_ups.recover(bytes) {
                    self.0.left.fetch_add(bytes, Ordering::Relaxed);
                    return Fits::Later;
                }
                self.0.on_account.fetch_add(bytes, Ordering::Relaxed);
                Fits::Now
            }
            _ => Fits::Now,
        }
    }

    /// What was read is let go of: its room is free again.
    pub(super) fn give_back(&self, bytes: usize) {
        self.0.left.fetch_add(bytes, Ordering::Relaxed);
        if let Some(catch_ups) = &self.0.catch_ups {
            let on_account = self.0.on_account.load(Ordering::Relaxed).min(bytes);
            if less(&self.0.on_account, on_account) {
                catch_ups.has_recovered(on_account);
            }
        }
    }

    /// Ready when it is this answer's turn among those of its session, which it then has until it is made.
    pub(super) async fn turn(&self) {
        if let Some(catch_ups) = &self.0.catch_ups {
            let turn = || catch_ups.turn.clone().lock_owned();
            self.0.turn.get_or_init(turn).await;
        }
    }

    /// Ready when a channel of this answer may be caught up with alone. `None` where nobody has asked for an answer, and nobody waits.
    pub(super) async fn alone(&self) -> Option<MutexGuard<'_, ()>> {
        let catch_ups = self.0.catch_ups.as_ref()?;
        // First, so that whoever is alone never waits for one who waits to be.
        self.turn().await;
        Some(catch_ups.alone.lock().await)
    }

    /// Ready when a history may be read, until what is given is dropped.
    pub(super) async fn may_read(&self) -> Option<SemaphorePermit<'_>> {
        self.0.catch_ups.as_ref()?.may_read().await
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(catch_ups) = &self.catch_ups {
            catch_ups.has_recovered(*self.on_account.get_mut());
        }
    }
}

fn less(room: &AtomicUsize, bytes: usize) -> bool {
    let less = |room: usize| room.checked_sub(bytes);
    room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}
