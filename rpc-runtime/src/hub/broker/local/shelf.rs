//! The channels that a broker knows, and how those go that nobody needs any more.
//!
//! Each has a time at which it is looked at again. Whoever uses the list looks at two of those whose time has come: more than
//! it can add. So what is over goes without a task of its own, and nobody pays for a whole list at once. Where there is no room,
//! all of those go whose time has come, and then channels that nobody is in and that have no events, the longest idle first.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet, VecDeque, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    ledger::Ledger,
    room::{Most, NoRoom, Room},
    topic::{TOPIC, Topic},
};
use crate::hub::ChannelName;

/// The list is split so that publishers on several cores seldom meet.
const SHARDS: usize = 16;

/// So many channels are looked at by whoever uses the list.
const LOOKS: usize = 2;

/// With more channels than this, whoever uses the list looks at another part of it as well: all may use one channel.
const MANY: usize = 1_000;

/// A channel is left alone for so long at least.
const SHORTEST_LOOK: Duration = Duration::from_secs(1);

/// So many more channels may be on a list of idle ones than there are channels: some were used again, or are gone.
const STALE: usize = 64;

/// The channels, and what they take.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    /// What publishers take of it.
    pub(super) ledger: Ledger,
    /// What all channels take of it.
    pub(super) room: Room,
    /// Whose turn it is among the parts of the list.
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    topics: HashMap<ChannelName, Arc<Mutex<Topic>>>,
    /// When to look at each again. Some are gone meanwhile.
    looks: BinaryHeap<Reverse<(Instant, ChannelName)>>,
    /// Those that may go where there is no room, the longest idle first. Some are gone meanwhile, or used again.
    idle: VecDeque<ChannelName>,
}

impl Shelf {
    fn shard(&self, name: &ChannelName) -> &Mutex<Shard> {
        // Fewer than 2^32 of it matter: there are 16.
        &self.shards[self.hasher.hash_one(name) as usize % SHARDS]
    }

    /// How many names of idle channels are remembered.
    #[cfg(test)]
    pub(super) fn idle(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).idle.len()).sum()
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
        let done = self.room.weighed(&mut state, act);
        if state.is_over(now) {
            self.let_go(&mut state);
            drop(state);
            self.take_off(name, &topic);
        } else {
            self.list_if_idle(name, state);
        }
        Some(done)
    }

    /// Does something with a channel, which is begun where there is none, or it is over. There are at most `most`, of which
    /// `adds` is to be added.
    pub(super) fn with<T>(
        &self,
        name: &ChannelName,
        now: Instant,
        most: Most,
        adds: usize,
        act: impl FnOnce(&mut Topic) -> T,
    ) -> Result<T, NoRoom> {
        loop {
            let topic = self.get(name, now, most, adds)?;
            let mut state = lock(&topic);
            if state.gone {
                // Whoever has let it go takes it off the list next.
                drop(state);
                self.take_off(name, &topic);
                continue;
            }
            if state.has_kept() && state.is_over(now) {
                self.room.weighed(&mut state, |state| {
                    state.clear(&self.ledger);
                    let is_listed = state.is_listed;
                    *state = Topic::new(name.as_str().len(), now);
                    state.is_listed = is_listed;
                });
            }
            let done = self.room.weighed(&mut state, act);
            self.list_if_idle(name, state);
            return Ok(done);
        }
    }

    fn get(
        &self,
        name: &ChannelName,
        now: Instant,
        most: Most,
        adds: usize,
    ) -> Result<Arc<Mutex<Topic>>, NoRoom> {
        let refused = match self.try_get(name, now, most, adds) {
            Ok(topic) => return Ok(topic),
            Err(refused) => refused,
        };
        self.look_everywhere(now);
        let mut outcome = self.try_get(name, now, most, adds);
        while outcome.is_err() && self.let_idle_go(name) {
            outcome = self.try_get(name, now, most, adds);
        }
        outcome.map_err(|_| refused)
    }

    fn try_get(
        &self,
        name: &ChannelName,
        now: Instant,
        most: Most,
        adds: usize,
    ) -> Result<Arc<Mutex<Topic>>, NoRoom> {
        self.look_elsewhere(now);
        let mut shard = lock(self.shard(name));
        self.look_around(&mut shard, now, LOOKS);
        let Shard { topics, looks, .. } = &mut *shard;
        match topics.entry(name.clone()) {
            Entry::Occupied(_) if adds > 0 && !self.room.has(adds, most) => Err(NoRoom::Memory),
            Entry::Occupied(topic) => Ok(topic.get().clone()),
            Entry::Vacant(place) => {
                self.room.begin(TOPIC + name.as_str().len(), adds, most)?;
                looks.push(Reverse((now + SHORTEST_LOOK, name.clone())));
                let topic = Topic::new(name.as_str().len(), now);
                Ok(place.insert(Arc::new(Mutex::new(topic))).clone())
            }
        }
    }

    /// Puts a channel on the list of those that may go, where it has just become one.
    fn list_if_idle(&self, name: &ChannelName, mut state: MutexGuard<'_, Topic>) {
        if state.is_listed || !state.may_go() {
            return;
        }
        state.is_listed = true;
        drop(state);
        let mut shard = lock(self.shard(name));
        if shard.idle.len() > shard.topics.len() + STALE {
            let Shard { topics, idle, .. } = &mut *shard;
            idle.retain(|name| topics.contains_key(name));
            // What was on it twice, because it went and came again.
            let mut seen = HashSet::with_capacity(idle.len());
            idle.retain(|name| seen.insert(name.clone()));
        }
        shard.idle.push_back(name.clone());
    }

    /// Lets the longest idle channel of one part of the list go, other than one that is about to be used. `false`: there is none.
    fn let_idle_go(&self, but: &ChannelName) -> bool {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        (0..SHARDS).any(|index| self.let_one_go(&mut lock(&self.shards[(first + index) % SHARDS]), but))
    }

    fn let_one_go(&self, shard: &mut Shard, but: &ChannelName) -> bool {
        for _ in 0..shard.idle.len() {
            let Some(name) = shard.idle.pop_front() else {
                return false;
            };
            let Entry::Occupied(topic) = shard.topics.entry(name) else {
                continue;
            };
            let Ok(mut state) = topic.get().try_lock() else {
                // Somebody uses it right now.
                shard.idle.push_back(topic.key().clone());
                continue;
            };
            // Where it is used again, whoever leaves it puts it on the list again.
            state.is_listed = false;
            if topic.key() == but || !state.may_go() {
                continue;
            }
            self.let_go(&mut state);
            drop(state);
            topic.remove();
            self.room.end();
            return true;
        }
        false
    }

    /// Looks at all channels whose time has come.
    pub(super) fn look_everywhere(&self, now: Instant) {
        for shard in &self.shards {
            self.look_around(&mut lock(shard), now, usize::MAX);
        }
    }

    fn look_elsewhere(&self, now: Instant) {
        if self.room.channels() <= MANY {
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
                    self.room.end();
                }
            }
        }
    }

    /// Lets go of what a channel does not keep any more. When to look at it again; `None` where it is over.
    fn look_at(&self, topic: &mut Topic, now: Instant) -> Option<Instant> {
        self.room.weighed(topic, |topic| topic.expire(now, &self.ledger));
        if topic.is_over(now) {
            self.let_go(topic);
            return None;
        }
        Some(topic.look_again(now))
    }

    /// A channel is over: whoever still has it looks for another.
    fn let_go(&self, topic: &mut Topic) {
        self.room.weighed(topic, |topic| {
            topic.clear(&self.ledger);
            topic.gone = true;
        });
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
            self.room.end();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
