//! The states of users, or of addresses, which their sessions share.
//!
//! A state is found when a session begins or its user changes, never for a call. It stays for as long as a session has
//! it, and behind the last one until everything has come back: or whoever reconnects would begin anew.

use std::{
    collections::{HashMap, VecDeque, hash_map::RandomState},
    fmt,
    hash::{BuildHasher, Hash},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::limiter::{Moment, State};

/// The table is split so that connects on several cores seldom meet.
const SHARDS: usize = 16;

/// So many of those who are gone are remembered in each part, and the first that went are forgotten first: with all
/// parts, 16,384. Those who are there are bounded by the limit on connections.
const GONE: usize = 1_024;

pub(super) struct Table<K> {
    shards: [Mutex<Shard<K>>; SHARDS],
    hasher: RandomState,
    /// How many rates each has a state of.
    rates: usize,
}

struct Shard<K> {
    entries: HashMap<K, Entry>,
    /// Those whose last session has gone, though some may have come back, in the order in which they went. Each stands
    /// here once.
    gone: VecDeque<K>,
}

struct Entry {
    states: Box<[State]>,
    /// It stands among those who are gone.
    queued: bool,
}

impl Entry {
    /// Whether a session has its states.
    fn is_here(&self) -> bool {
        self.states.iter().any(State::is_shared)
    }
}

impl<K: Hash + Eq + Clone> Table<K> {
    pub(super) fn new(rates: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Mutex::new(Shard {
                    entries: HashMap::new(),
                    gone: VecDeque::new(),
                })
            }),
            hasher: RandomState::new(),
            rates,
        }
    }

    /// Whether there is nothing to have a state of.
    pub(super) fn is_unused(&self) -> bool {
        self.rates == 0
    }

    /// The states that belong to a key, shared with all who have them.
    pub(super) fn get(&self, key: &K, now: Moment) -> Box<[State]> {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.entries.get(key) {
            return entry.states.clone();
        }
        shard.forget(now);
        let states: Box<[State]> = (0..self.rates).map(|_| State::default()).collect();
        let entry = Entry {
            states: states.clone(),
            queued: false,
        };
        shard.entries.insert(key.clone(), entry);
        states
    }

    /// A session with this key has gone, and has let go of its states.
    pub(super) fn left(&self, key: &K, now: Moment) {
        let mut shard = self.shard(key);
        if let Some(entry) = shard.entries.get_mut(key)
            && !entry.is_here()
            && !entry.queued
        {
            entry.queued = true;
            shard.gone.push_back(key.clone());
        }
        shard.forget(now);
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K>> {
        let shard = &self.shards[self.hasher.hash_one(key) as usize % SHARDS];
        // Nothing panics while the lock is held.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq> Shard<K> {
    /// Looks at two of those who are gone, which is one more than come to them at a time.
    fn forget(&mut self, now: Moment) {
        for _ in 0..2 {
            let Some(key) = self.gone.pop_front() else { return };
            let Some(entry) = self.entries.get_mut(&key) else {
                continue;
            };
            if entry.is_here() {
                entry.queued = false;
            } else if self.gone.len() >= GONE || entry.states.iter().all(|state| state.is_replenished(now)) {
                self.entries.remove(&key);
            } else {
                self.gone.push_back(key);
            }
        }
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 8 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }
}

impl<K> fmt::Debug for Table<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("rates", &self.rates)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::{Rate, limiter::Limiter};

    const SECOND: Moment = 1_000_000_000;

    fn count(table: &Table<u32>) -> usize {
        let shards = table.shards.iter();
        shards.map(|shard| shard.lock().unwrap().entries.len()).sum()
    }

    #[test]
    fn sessions_of_one_key_share_its_states_and_who_reconnects_finds_them_again() {
        let (table, limiter) = (Table::new(1), Limiter::new(Rate::per_second(1)).unwrap());
        let (one, other) = (table.get(&7, SECOND), table.get(&7, SECOND));
        assert!(limiter.take(&one[0], 1, SECOND).is_ok());
        assert!(limiter.take(&other[0], 1, SECOND).is_err());
        assert!(limiter.take(&table.get(&8, SECOND)[0], 1, SECOND).is_ok());
        drop(one);
        table.left(&7, SECOND);
        drop(other);
        table.left(&7, SECOND);
        assert!(limiter.take(&table.get(&7, SECOND)[0], 1, SECOND).is_err());
    }

    #[test]
    fn who_is_gone_is_forgotten_once_everything_has_come_back() {
        let (table, limiter) = (Table::new(1), Limiter::new(Rate::per_second(1)).unwrap());
        let stays = table.get(&0, SECOND);
        for key in 1..=100 {
            let states = table.get(&key, SECOND);
            assert!(limiter.take(&states[0], 1, SECOND).is_ok());
            drop(states);
            table.left(&key, SECOND);
        }
        assert_eq!(count(&table), 101, "nothing has come back yet");
        // Others come and go, later: what they look at on their way is forgotten.
        for key in 1_000..2_000 {
            drop(table.get(&key, 3 * SECOND));
            table.left(&key, 3 * SECOND);
        }
        assert_eq!(count(&table), 1);
        drop(stays);
        table.left(&0, 3 * SECOND);
        assert_eq!(count(&table), 0);
    }

    #[test]
    fn no_more_than_a_bounded_number_of_those_who_are_gone_are_remembered() {
        let (table, limiter) = (
            Table::new(1),
            Limiter::new(Rate::per(1, std::time::Duration::from_secs(3_600))).unwrap(),
        );
        let most = GONE * SHARDS;
        for key in 0..3 * u32::try_from(most).unwrap() {
            let states = table.get(&key, SECOND);
            assert!(limiter.take(&states[0], 1, SECOND).is_ok());
            drop(states);
            table.left(&key, SECOND);
        }
        assert!(count(&table) <= most, "{}", count(&table));
        // Those who went last are remembered.
        let last = table.get(&(3 * u32::try_from(most).unwrap() - 1), SECOND);
        assert!(limiter.take(&last[0], 1, SECOND).is_err());
    }

    #[test]
    fn one_who_comes_and_goes_takes_one_place_among_those_who_are_gone() {
        let (table, limiter) = (
            Table::new(1),
            Limiter::new(Rate::per(1, std::time::Duration::from_secs(3_600))).unwrap(),
        );
        for _ in 0..10_000 {
            let states = table.get(&1, SECOND);
            let _ = limiter.take(&states[0], 1, SECOND);
            drop(states);
            table.left(&1, SECOND);
        }
        let gone: usize = table
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().gone.len())
            .sum();
        assert_eq!((count(&table), gone), (1, 1));
    }
}
