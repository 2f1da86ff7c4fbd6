//! A map in parts, each with a lock of its own.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// In how many parts: those who use it on several cores seldom meet.
const SHARDS: usize = 16;

/// A map that is used on several cores at once.
#[derive(Debug)]
pub(crate) struct Sharded<K, V> {
    hasher: RandomState,
    shards: [Mutex<HashMap<K, V>>; SHARDS],
}

impl<K, V> Default for Sharded<K, V> {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            shards: Default::default(),
        }
    }
}

impl<K: Eq + Hash, V> Sharded<K, V> {
    /// The part that has a key, if any has it.
    pub(crate) fn of<Q: Hash + ?Sized>(&self, key: &Q) -> MutexGuard<'_, HashMap<K, V>>
    where
        K: Borrow<Q>,
    {
        // Fewer than 2^32 of it matter: there are 16.
        let shard = self.hasher.hash_one(key) as usize % SHARDS;
        lock(&self.shards[shard])
    }
}

impl<K, V> Sharded<K, V> {
    /// All parts, each locked when it is its turn.
    pub(crate) fn each(&self) -> impl Iterator<Item = MutexGuard<'_, HashMap<K, V>>> {
        self.shards.iter().map(lock)
    }

    /// How many keys all parts have.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.each().map(|shard| shard.len()).sum()
    }
}

fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_one_part_whatever_it_is_borrowed_as_and_many_are_in_all_of_them() {
        let map = Sharded::<String, usize>::default();
        for number in 0..1_000 {
            let key = number.to_string();
            map.of(&key).insert(key, number);
        }
        for number in 0..1_000 {
            let key = number.to_string();
            assert_eq!(map.of(&key).get(&key), Some(&number));
            assert_eq!(map.of(key.as_str()).get(key.as_str()), Some(&number));
        }
        assert!(map.of("1000").get("1000").is_none());
        assert_eq!(map.len(), 1_000);
        let mut all: Vec<_> = map
            .each()
            .flat_map(|shard| shard.values().copied().collect::<Vec<_>>())
            .collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..1_000));
        assert!(map.each().all(|shard| !shard.is_empty()));
        assert!(map.of("7").remove("7").is_some());
        assert_eq!(map.len(), 999);
    }

    #[test]
    fn who_holds_one_part_is_in_nobodys_way_in_another() {
        let map = Sharded::<u32, ()>::default();
        let held = map.of(&0);
        let is_free = |shard: &Mutex<HashMap<u32, ()>>| shard.try_lock().is_ok();
        assert_eq!(
            map.shards.iter().filter(|shard| is_free(shard)).count(),
            SHARDS - 1
        );
        drop(held);
        assert!(map.shards.iter().all(is_free));
    }
}
