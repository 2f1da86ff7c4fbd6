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

    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut S> {
        let index = self.index(id)?;
        self.entries[index].1.as_mut()
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.index(id)
            .is_some_and(|index| self.entries[index].1.is_some())
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

    /// The ids of all open streams, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.entries
            .iter()
            .filter(|(_, state)| state.is_some())
            .map(|(id, _)| *id)
    }

    fn index(&self, id: u64) -> Option<usize> {
        self.entries.binary_search_by_key(&id, |(entry, _)| *entry).ok()
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
                prop_assert_eq!(table.contains(id), model.contains_key(&id));
                prop_assert_eq!(table.get_mut(id), model.get_mut(&id));
                prop_assert_eq!(table.ids().collect::<Vec<_>>(), model.keys().copied().collect::<Vec<_>>());
                prop_assert!(table.entries.len() <= 2 * table.open + 9, "gaps stay in the minority");
            }
        }
    }
}
