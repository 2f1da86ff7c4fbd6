//! The channels that a broker knows, and how those go that nobody needs any more.
//!
//! Each has a time at which it is looked at again. Whoever uses the list looks at two of those whose time has come: more than
//! it can add. So what is over goes without a task of its own, and nobody pays for a whole list at once.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::topic::Topic;
use crate::hub::ChannelName;

/// The list is split so that publishers on several cores seldom meet.
const SHARDS: usize = 16;

/// So many channels are looked at by whoever uses the list.
const LOOKS: usize = 2;

/// With more channels than this, whoever uses the list looks at another part of it as well: all may use one channel.
const MANY: usize = 1_000;

/// A channel is left alone for so long at least.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

/// The channels, and what they take.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    /// How many channels there are.
    count: AtomicUsize,
    /// What their events count for.
    weight: AtomicUsize,
    /// Whose turn it is among the parts of the list.
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    topics: HashMap<ChannelName, Arc<Mutex<Topic>>>,
    /// When to look at each again. Some are gone meanwhile.
    looks: BinaryHeap<Reverse<(Instant, ChannelName)>>,
}

/// There are as many channels as there may be.
#[derive(Debug)]
pub(super) struct NoPlace;

impl Shelf {
    fn shard(&self, name: &ChannelName) -> &Mutex<Shard> {
        // Fewer than 2^32 of it matter: there are 16.
        &self.shards[self.hasher.hash_one(name) as usize % SHARDS]
    }

    /// How many channels there are, also those that nobody has noticed yet to be over.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// What all events count for.
    pub(super) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    /// Does something with a channel, where there is one that is not over.
    pub(super) fn find<T>(
        &self,
        name: &ChannelName,
        now: Instant,
        act: impl FnOnce(&mut Topic) -> T,
    ) -> Option<T> {
        let topic = {
            let mut shard = lock(self.shard(name));
            self.look_around(&mut shard, now, LOOKS);
            shard.topics.get(name).cloned()?
        };
        let mut state = lock(&topic);
        if state.gone {
            return None;
        }
        let done = self.weighed(&mut state, act);
        self.remove_if_over(name, &topic, state, now);
        Some(done)
    }

    /// Does something with a channel, which is begun where there is none, or it is over. There are at most `most`.
    pub(super) fn with<T>(
        &self,
        name: &ChannelName,
        now: Instant,
        most: usize,
        act: impl FnOnce(&mut Topic) -> T,
    ) -> Result<T, NoPlace> {
        loop {
            let topic = self.get(name, now, most)?;
            let mut state = lock(&topic);
            if state.gone {
                // Whoever has let it go takes it off the list next.
                drop(state);
                self.take_off(name, &topic);
                continue;
            }
            if state.has_kept() && state.is_over(now) {
                self.weighed(&mut state, |state| *state = Topic::new(now));
            }
            return Ok(self.weighed(&mut state, act));
        }
    }

    fn get(&self, name: &ChannelName, now: Instant, most: usize) -> Result<Arc<Mutex<Topic>>, NoPlace> {
        if let Some(topic) = self.try_get(name, now, most) {
            return Ok(topic);
        }
        // All of those whose time has come, for once.
        for shard in &self.shards {
            self.look_around(&mut lock(shard), now, usize::MAX);
        }
        self.try_get(name, now, most).ok_or(NoPlace)
    }

    fn try_get(&self, name: &ChannelName, now: Instant, most: usize) -> Option<Arc<Mutex<Topic>>> {
        self.look_elsewhere(now);
        let mut shard = lock(self.shard(name));
        self.look_around(&mut shard, now, LOOKS);
        let Shard { topics, looks } = &mut *shard;
        match topics.entry(name.clone()) {
            Entry::Occupied(topic) => Some(topic.get().clone()),
            Entry::Vacant(place) => {
                if self.count.fetch_add(1, Ordering::Relaxed) >= most {
                    self.count.fetch_sub(1, Ordering::Relaxed);
                    return None;
                }
                looks.push(Reverse((now + SHORTEST_LOOK, name.clone())));
                Some(place.insert(Arc::new(Mutex::new(Topic::new(now)))).clone())
            }
        }
    }

    /// Does something with a channel, and counts by how much its events have changed.
    fn weighed<T>(&self, topic: &mut Topic, act: impl FnOnce(&mut Topic) -> T) -> T {
        let before = topic.weight();
        let done = act(topic);
        let after = topic.weight();
        if after >= before {
            self.weight.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.weight.fetch_sub(before - after, Ordering::Relaxed);
        }
        done
    }

    fn look_elsewhere(&self, now: Instant) {
        if self.count() <= MANY {
            return;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        if let Ok(mut shard) = self.shards[turn % SHARDS].try_lock() {
            self.look_around(&mut shard, now, LOOKS);
        }
    }

    /// Looks at channels whose time has come, and lets those go that are over.
    fn look_around(&self, shard: &mut Shard, now: Instant, most: usize) {
        for _ in 0..most {
            match shard.looks.peek() {
                Some(Reverse((at, _))) if *at <= now => {}
                _ => return,
            }
            let Some(Reverse((_, name))) = shard.looks.pop() else {
                return;
            };
            let Entry::Occupied(topic) = shard.topics.entry(name.clone()) else {
                continue;
            };
            let again = match topic.get().try_lock() {
                // Somebody uses it right now.
                Err(TryLockError::WouldBlock) => Some(now),
                Err(TryLockError::Poisoned(poisoned)) => self.look_at(&mut poisoned.into_inner(), now),
                Ok(mut state) => self.look_at(&mut state, now),
            };
            match again {
                Some(again) => shard.looks.push(Reverse((again.max(now + SHORTEST_LOOK), name))),
                None => {
                    topic.remove();
                    self.count.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Lets go of what a channel does not keep any more. When to look at it again; `None` where it is over.
    fn look_at(&self, topic: &mut Topic, now: Instant) -> Option<Instant> {
        self.weighed(topic, |topic| topic.expire(now));
        if topic.is_over(now) {
            topic.gone = true;
            return None;
        }
        Some(topic.look_again(now))
    }

    /// Takes a channel off the list that has just been left, where nothing of it is to be remembered.
    fn remove_if_over(
        &self,
        name: &ChannelName,
        topic: &Arc<Mutex<Topic>>,
        mut state: MutexGuard<'_, Topic>,
        now: Instant,
    ) {
        if !state.is_over(now) {
            return;
        }
        state.gone = true;
        self.weighed(&mut state, |topic| topic.expire(now));
        drop(state);
        self.take_off(name, topic);
    }

    /// Takes a channel off the list, if it is still this one.
    fn take_off(&self, name: &ChannelName, topic: &Arc<Mutex<Topic>>) {
        let mut shard = lock(self.shard(name));
        if shard
            .topics
            .get(name)
            .is_some_and(|listed| Arc::ptr_eq(listed, topic))
        {
            shard.topics.remove(name);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
