//! Turns of publishing: what one client publishes in a channel comes there in the order in which it was asked for, however long the
//! right to it takes and the event is validated; and so does what it sends to users and clients.

use std::{
    collections::HashMap,
    future::Future,
    pin::pin,
    sync::{
        self, Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::ChannelName;
use crate::Session;

/// The turns of one session's publishing, by channels; `None` is what it sends to users and clients. There are some only while a
/// call waits to learn whether it may.
#[derive(Debug, Default)]
pub(crate) struct PublishTurns {
    /// How many calls have a turn, or wait for one.
    count: AtomicUsize,
    channels: sync::Mutex<HashMap<Option<ChannelName>, Arc<Mutex<()>>>>,
}

/// A turn, or a place among those who wait for it.
#[derive(Debug)]
pub(crate) struct PublishTurn<'a> {
    turns: &'a PublishTurns,
    name: Option<&'a ChannelName>,
    /// `None` while it waits.
    has: Option<OwnedMutexGuard<()>>,
}

/// Waits for what says whether a session may publish in a channel, or send what it sends, and for those of its calls that came
/// before and still wait. The turn is to be kept until the event is published. It is `None` where nobody has to wait: that costs
/// nothing.
pub(crate) async fn in_turn<'a, T>(
    session: &'a Session,
    name: Option<&'a ChannelName>,
    may: impl Future<Output = T>,
) -> (T, Option<PublishTurn<'a>>) {
    let mut may = pin!(may);
    let is_first = session
        .channels()
        .is_none_or(|channels| channels.publishing.is_empty());
    if is_first && let Some(may) = future::poll_immediate(may.as_mut()).await {
        return (may, None);
    }
    let turns = &session.make_channels().publishing;
    // All that wait are asked for at once.
    let (may, turn) = future::join(may, turns.of(name)).await;
    (may, Some(turn))
}

impl PublishTurns {
    fn lock(&self) -> sync::MutexGuard<'_, HashMap<Option<ChannelName>, Arc<Mutex<()>>>> {
        // Nothing panics while the lock is held.
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Waits for a turn: it is that of whoever has asked first.
    async fn of<'a>(&'a self, name: Option<&'a ChannelName>) -> PublishTurn<'a> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut turn = PublishTurn {
            turns: self,
            name,
            has: None,
        };
        let channel = self.lock().entry(name.cloned()).or_default().clone();
        turn.has = Some(channel.lock_owned().await);
        turn
    }
}

impl Drop for PublishTurn<'_> {
    fn drop(&mut self) {
        self.has = None;
        let name = self.name.cloned();
        let mut channels = self.turns.lock();
        // Nobody else has it, or waits for it.
        if channels
            .get(&name)
            .is_some_and(|channel| Arc::strong_count(channel) == 1)
        {
            channels.remove(&name);
        }
        self.turns.count.fetch_sub(1, Ordering::Relaxed);
    }
}
