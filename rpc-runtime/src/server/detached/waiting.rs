//! The sessions without a connection: in the order in which they have lost it, and by what they hold.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::Session;

/// Those that wait. One that is given up is none of them any more, though it may take a moment to end.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    sessions: BTreeMap<u64, Waiter>,
    /// Those that hold anything, by how many bytes; of those that hold as much, who has waited longest comes last.
    by_size: BTreeSet<(usize, Reverse<u64>)>,
    /// What all of them hold.
    bytes: usize,
    /// How many there have been.
    count: u64,
}

#[derive(Debug)]
struct Waiter {
    session: Arc<Session>,
    held: usize,
}

impl Waiting {
    /// One more waits; gives its number.
    pub(super) fn add(&mut self, session: Arc<Session>) -> u64 {
        self.count += 1;
        self.sessions.insert(self.count, Waiter { session, held: 0 });
        self.count
    }

    /// One holds so many bytes now, if it still waits.
    pub(super) fn hold(&mut self, number: u64, bytes: usize) {
        let Some(waiter) = self.sessions.get_mut(&number) else {
            return;
        };
        let before = std::mem::replace(&mut waiter.held, bytes);
        self.by_size.remove(&(before, Reverse(number)));
        if bytes > 0 {
            self.by_size.insert((bytes, Reverse(number)));
        }
        self.bytes = self.bytes - before + bytes;
    }

    /// One waits no longer.
    pub(super) fn remove(&mut self, number: u64) -> Option<Arc<Session>> {
        self.hold(number, 0);
        Some(self.sessions.remove(&number)?.session)
    }

    /// Gives up the one that has waited longest, where more wait than may.
    pub(super) fn oldest_beyond(&mut self, most: usize) -> Option<(u64, Arc<Session>)> {
        if self.sessions.len() <= most {
            return None;
        }
        let number = *self.sessions.first_key_value()?.0;
        Some((number, self.remove(number)?))
    }

    /// Gives up those that hold most, until all others hold no more than that.
    pub(super) fn largest_beyond(&mut self, most: usize) -> Vec<(u64, Arc<Session>)> {
        let mut largest = Vec::new();
        while self.bytes > most {
            let Some(&(_, Reverse(number))) = self.by_size.last() else {
                break;
            };
            largest.extend(self.remove(number).map(|session| (number, session)));
        }
        largest
    }
}
