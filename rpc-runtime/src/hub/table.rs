//! The channels that have subscribers on this node.

use std::{
    collections::hash_map::Entry,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Channel, ChannelName, namespace::ActiveNamespace};
use crate::sharded::Sharded;

/// The channels that have subscribers on this node, or are about to have their first.
#[derive(Debug, Default)]
pub(crate) struct Channels {
    list: Sharded<ChannelName, Arc<Channel>>,
    /// The number of the last one that was made.
    last: AtomicU64,
}

impl Channels {
    /// A channel, where it has subscribers.
    pub(crate) fn find(&self, name: &ChannelName) -> Option<Arc<Channel>> {
        self.list.of(name).get(name).cloned()
    }

    /// A channel; made where there is none.
    pub(crate) fn get(&self, name: &ChannelName, namespace: &Arc<ActiveNamespace>) -> Arc<Channel> {
        match self.list.of(name).entry(name.clone()) {
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
        let mut shard = self.list.of(&channel.name);
        if shard
            .get(&channel.name)
            .is_some_and(|listed| Arc::ptr_eq(listed, channel))
        {
            shard.remove(&channel.name);
        }
    }

    /// All of them, a part of the list at a time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<Channel>> {
        self.list
            .each()
            .flat_map(|shard| shard.values().cloned().collect::<Vec<_>>())
    }
}
