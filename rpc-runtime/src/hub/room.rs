//! How much an answer has room for, and the session whose answers are made at once.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{MutexGuard, OnceCell, OwnedMutexGuard, SemaphorePermit};

use super::{ChannelName, keeping::CatchUps};
use crate::{Session, Status};

/// How many bytes of events and snapshots an answer has room for, of all channels that are asked for in it at once.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    answer: Arc<Answer>,
    /// Whoever waits for a turn has a place in this channel, which it is to fill.
    place: Option<(Arc<Session>, ChannelName)>,
}

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
        let answer = Answer {
            left: AtomicUsize::new(bytes),
            catch_ups,
            on_account: AtomicUsize::new(0),
            turn: OnceCell::new(),
        };
        Self {
            answer: Arc::new(answer),
            place: None,
        }
    }

    /// On whose account what comes meanwhile is kept. `None`: it has a bound of its own, since nobody waits for an answer, and so nobody has
    /// a turn.
    pub(super) fn account(&self) -> Option<Arc<CatchUps>> {
        self.answer.catch_ups.clone()
    }

    /// The same room, for one that has a place in a channel, and gives it up where it would wait for its turn too long with that.
    pub(super) fn with_place(&self, session: &Arc<Session>, name: &ChannelName) -> Self {
        Self {
            answer: self.answer.clone(),
            place: Some((session.clone(), name.clone())),
        }
    }

    /// Takes room, where there is so much in the answer.
    pub(crate) fn take(&self, bytes: usize) -> bool {
        less(&self.answer.left, bytes)
    }

    /// Takes room for what was read, in the answer and among those of its session.
    pub(super) fn fits(&self, bytes: usize) -> Fits {
        if !self.take(bytes) {
            return Fits::Never;
        }
        match &self.answer.catch_ups {
            Some(catch_ups) if !self.answer.turn.initialized() => {
                if !catch_ups.recover(bytes) {
                    self.answer.left.fetch_add(bytes, Ordering::Relaxed);
                    return Fits::Later;
                }
                self.answer.on_account.fetch_add(bytes, Ordering::Relaxed);
                Fits::Now
            }
            _ => Fits::Now,
        }
    }

    /// What was read is let go of: its room is free again.
    pub(super) fn give_back(&self, bytes: usize) {
        self.answer.left.fetch_add(bytes, Ordering::Relaxed);
        if let Some(catch_ups) = &self.answer.catch_ups {
            let on_account = self.answer.on_account.load(Ordering::Relaxed).min(bytes);
            if less(&self.answer.on_account, on_account) {
                catch_ups.has_recovered(on_account);
            }
        }
    }

    /// Ready when it is this answer's turn among those of its session, which it then has until it is made.
    ///
    /// # Errors
    ///
    /// The place that waits with it is to be given up.
    pub(super) async fn turn(&self) -> Result<(), Status> {
        if let Some(catch_ups) = &self.answer.catch_ups {
            let turn = || catch_ups.turn.clone().lock_owned();
            self.wait(self.answer.turn.get_or_init(turn)).await?;
        }
        Ok(())
    }

    /// Ready when a channel of this answer may be caught up with alone. `None` where nobody has asked for an answer, and nobody waits.
    ///
    /// # Errors
    ///
    /// As for [`turn`](Self::turn).
    pub(super) async fn alone(&self) -> Result<Option<MutexGuard<'_, ()>>, Status> {
        let Some(catch_ups) = &self.answer.catch_ups else {
            return Ok(None);
        };
        // First, so that whoever is alone never waits for one who waits to be.
        self.turn().await?;
        self.wait(catch_ups.alone.lock()).await.map(Some)
    }

    /// Waits for whom may wait for the place that waits with it.
    async fn wait<T>(&self, turn: impl Future<Output = T>) -> Result<T, Status> {
        match &self.place {
            Some((session, name)) => session.make_channels().wait_with(name, turn).await,
            None => Ok(turn.await),
        }
    }

    /// Ready when a history may be read, until what is given is dropped.
    pub(super) async fn may_read(&self) -> Option<SemaphorePermit<'_>> {
        self.answer.catch_ups.as_ref()?.may_read().await
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
