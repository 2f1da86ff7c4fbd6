//! The streams that are open, in the order in which they were opened.

/// A map from stream id to state, for ids that are inserted in increasing order.
///
/// A sorted list instead of a hash map: ids come sorted, so that inserting is a push, looking up a binary search, and
/// no peer can choose ids that collide. What is removed stays as a gap until gaps are in the majority. An idle
/// connection holds nothing here.
#[derive(Debug)]
pub(crate) struct StreamTable<S> {
    /// Ids increase. `None` is a gap.
    entries: Vec<(u64, Option<S>)>,
    open: usize,
}

impl<S> Default for StreamTable<S> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            open: 0,
        }
    }
}

impl<S> StreamTable<S> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.open
    }

    /// `id` is above all that were inserted before.
    pub(crate) fn insert(&mut self, id: u64, state: S) {
        debug_assert!(
            self.entries.last().is_none_or(|(last, _)| *last < id),
            "ids are inserted in order"
        );
        self.entries.push((id, Some(state)));
        self.open += 1;
    }

    /// Puts a stream back that was taken out, or was not put in when its turn came.
    pub(crate) fn restore(&mut self, id: u64, state: S) {
        match self.entries.binary_search_by_key(&id, |(entry, _)| *entry) {
            Ok(index) => {
                debug_assert!(self.entries[index].1.is_none(), "an id is used once");
                self.entries[index].1 = Some(state);
            }
            Err(index) => self.entries.insert(index, (id, Some(state))),
        }
        self.open += 1;
    }

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut S> {
        let index = self.index(id)?;
        self.entries[index].1.as_mut()
    }

    pub(crate) fn remove(&mut self, id: u64) -> Option<S> {
        let index = self.index(id)?;
        let state = self.entries[index].1.take()?;
        self.open -= 1;
        if self.open == 0 {
            self.entries.clear();
        } else if self.entries.len() > 2 * self.open + 8 {
            self.entries.retain(|(_, state)| state.is_some());
        }
        Some(state)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&S> {
        self.entries[self.index(id)?].1.as_ref()
    }

    /// The ids of all open streams, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries
            .iter()
            .filter(|(_, state)| state.is_some())
            .map(|(id, _)| *id)
    }

    /// All open streams, in order.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut S)> {
        self.entries
            .iter_mut()
            .filter_map(|(id, state)| state.as_mut().map(|state| (*id, state)))
    }

    /// The first open stream whose id is above `id`.
    pub(crate) fn next_above(&self, id: u64) -> Option<(u64, &S)> {
        let above = self.entries.partition_point(|(entry, _)| *entry <= id);
        self.entries[above..]
            .iter()
            .find_map(|(id, state)| state.as_ref().map(|state| (*id, state)))
    }

    #[inline]
    fn index(&self, id: u64) -> Option<usize> {
        let (first, _) = self.entries.first()?;
        // Ids are mostly given out one after the other, and then this is the place.
        let guess = usize::try_from(id.checked_sub(*first)?).ok()?;
        match self.entries.get(guess) {
            Some((entry, _)) if *entry == id => Some(guess),
            _ => self.entries.binary_search_by_key(&id, |(entry, _)| *entry).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::StreamTable;

    proptest! {
        #[test]
        fn the_table_is_a_map(operations in proptest::collection::vec((any::<bool>(), 0..40_u64), 0..200)) {
            let mut table = StreamTable::default();
            let mut model = BTreeMap::new();
            let mut next = 0;
            for (insert, id) in operations {
                if insert {
                    table.insert(next, next * 2);
                    model.insert(next, next * 2);
                    next += 1 + id % 3;
                } else {
                    prop_assert_eq!(table.remove(id), model.remove(&id));
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.get(id), model.get(&id));
                prop_assert_eq!(table.get_mut(id), model.get_mut(&id));
                prop_assert_eq!(table.ids().collect::<Vec<_>>(), model.keys().copied().collect::<Vec<_>>());
                let above = model.range(id + 1..).next().map(|(id, state)| (*id, state));
                prop_assert_eq!(table.next_above(id), above);
                prop_assert!(table.entries.len() <= 2 * table.open + 9, "gaps stay in the minority");
            }
        }
    }
}
