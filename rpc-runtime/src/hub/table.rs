//! The channels that have subscribers on this node.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Channel, ChannelName, namespace::ActiveNamespace};

/// The list is split so that publishers on several cores seldom meet.
const SHARDS: usize = 16;

/// The channels that have subscribers on this node, or are about to have their first.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    hasher: RandomState,
    shards: [Mutex<HashMap<ChannelName, Arc<Channel>>>; SHARDS],
    /// The number of the last one that was made.
    last: AtomicU64,
}

impl Channels {
    fn shard(&self, name: &ChannelName) -> MutexGuard<'_, HashMap<ChannelName, Arc<Channel>>> {
        // Fewer than 2^32 of it matter: there are 16.
        let shard = self.hasher.hash_one(name) as usize % SHARDS;
        lock(&self.shards[shard])
    }

    /// A channel, where it has subscribers.
    pub(crate) fn find(&self, name: &ChannelName) -> Option<Arc<Channel>> {
        self.shard(name).get(name).cloned()
    }

    /// A channel; made where there is none.
    pub(crate) fn get(&self, name: &ChannelName, namespace: &Arc<ActiveNamespace>) -> Arc<Channel> {
        match self.shard(name).entry(name.clone()) {
            Entry::Occupied(channel) => channel.get().clone(),
            Entry::Vacant(place) => {
                let number = self.last.fetch_add(1, Ordering::Relaxed) + 1;
                let channel = Channel::new(number, name.clone(), namespace.clone());
                place.insert(Arc::new(channel)).clone()
            }
        }
    }

    /// Takes a channel off the list, once it is closed.
    pub(crate) fn remove(&self, channel: &Arc<Channel>) {
        let mut shard = self.shard(&channel.name);
        if shard
            .get(&channel.name)
            .is_some_and(|listed| Arc::ptr_eq(listed, channel))
        {
            shard.remove(&channel.name);
        }
    }

    /// All of them, a part of the list at a time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Channel>> {
        self.shards
            .iter()
            .flat_map(|shard| lock(shard).values().cloned().collect::<Vec<_>>())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
