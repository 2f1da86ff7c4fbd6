//! The open calls of a connection, by stream id.

use std::{collections::HashMap, hash::BuildHasherDefault};

use crate::router::Identity;

/// The ring is never longer than this.
const LONGEST: usize = 1_024;

/// A map for ids that are given out one after the other, of which few are open at a time.
///
/// Each id has its place in a ring, where looking up is one comparison. Where an older one still lies there, which is
/// one that outlived a whole round, the newer one goes into a hash map.
#[derive(Debug)]
pub(super) struct CallTable<E> {
    /// A power of two in length, or empty.
    ring: Vec<Option<(u64, E)>>,
    beside: HashMap<u64, E, BuildHasherDefault<Identity>>,
    open: usize,
}

impl<E> Default for CallTable<E> {
    fn default() -> Self {
        Self {
            ring: Vec::new(),
            beside: HashMap::default(),
            open: 0,
        }
    }
}

impl<E> CallTable<E> {
    pub(super) fn len(&self) -> usize {
        self.open
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open == 0
    }

    /// `id` is not in the table.
    pub(super) fn insert(&mut self, id: u64, entry: E) {
        if self.open * 2 >= self.ring.len() && self.ring.len() < LONGEST {
            self.grow();
        }
        self.open += 1;
        self.place(id, entry);
    }

    fn place(&mut self, id: u64, entry: E) {
        let index = self.index(id);
        match &mut self.ring[index] {
            Some(_) => drop(self.beside.insert(id, entry)),
            free => *free = Some((id, entry)),
        }
    }

    fn grow(&mut self) {
        let longer = (self.ring.len() * 2).max(16);
        let ring = std::mem::replace(
            &mut self.ring,
            std::iter::repeat_with(|| None).take(longer).collect(),
        );
        let beside = std::mem::take(&mut self.beside);
        for (id, entry) in ring.into_iter().flatten().chain(beside) {
            self.place(id, entry);
        }
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut E> {
        if self.open == 0 {
            return None;
        }
        let index = self.index(id);
        match &mut self.ring[index] {
            Some((other, entry)) if *other == id => Some(entry),
            _ => self.beside.get_mut(&id),
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<E> {
        if self.open == 0 {
            return None;
        }
        let index = self.index(id);
        let entry = match &self.ring[index] {
            Some((other, _)) if *other == id => self.ring[index].take().map(|(_, entry)| entry),
            _ => self.beside.remove(&id),
        };
        self.open -= usize::from(entry.is_some());
        entry
    }

    /// Takes everything out, in no order.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (u64, E)> + use<E> {
        self.open = 0;
        let (ring, beside) = (std::mem::take(&mut self.ring), std::mem::take(&mut self.beside));
        ring.into_iter().flatten().chain(beside)
    }

    /// Where an id has its place. The ring is not empty.
    fn index(&self, id: u64) -> usize {
        // The mask keeps what a usize holds.
        id as usize & (self.ring.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::CallTable;

    proptest! {
        #[test]
        fn the_table_is_a_map(operations in proptest::collection::vec((0..10_u8, 0..6_000_u64), 0..4_000)) {
            let mut table = CallTable::default();
            let mut model = BTreeMap::new();
            let mut next = 1_u64;
            for (operation, back) in operations {
                match operation {
                    // Mostly calls that end soon, beside some that stay.
                    0..5 => {
                        table.insert(next, next * 2);
                        model.insert(next, next * 2);
                        next += 1;
                    }
                    5..9 => {
                        let id = next.saturating_sub(back % 12);
                        prop_assert_eq!(table.remove(id), model.remove(&id));
                    }
                    _ => {
                        let id = next.saturating_sub(back);
                        prop_assert_eq!(table.get_mut(id), model.get_mut(&id));
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.is_empty(), model.is_empty());
            }
            let mut all: Vec<_> = table.drain().collect();
            all.sort_unstable();
            prop_assert_eq!(all, model.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(table.remove(1), None);
        }
    }
}
