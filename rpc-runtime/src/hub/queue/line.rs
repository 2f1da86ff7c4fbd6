//! Events that stand in line, from which some may be taken out of turn: the oldest or the only one of a channel.
//!
//! A client that reads has next to nothing in line, and pays for none of this. Only when an event is first to be found by its
//! channel are those that wait chained, each to the next of its channel; that lasts until the line is empty. What is taken out
//! of turn leaves a gap behind; gaps go when they come to the front, or when there are more of them than events. So whatever
//! is done costs the same however long the line is, but for a share of what was done before.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use bytes::Bytes;

use super::Queued;

/// What a place in line takes, in bytes, beside the message.
pub(super) const PLACE: usize = size_of::<Place>();

/// The channel of a gap: none has this number.
const GAP: u64 = u64::MAX;

/// Fewer gaps than this are left where they are.
const FEW: usize = 32;

/// Events in line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Invariant: neither the first nor, while there is any event, all of them are gaps.
    places: VecDeque<Place>,
    /// How many places there were before the first.
    gone: u64,
    gaps: usize,
    /// The chains, while they are kept.
    chains: Option<HashMap<u64, Chain, BuildHasherDefault<NumberHasher>>>,
    /// How many places were looked at, for tests of what it costs.
    #[cfg(test)]
    pub(super) looked_at: usize,
}

#[derive(Debug)]
struct Place {
    event: Queued,
    /// The number of the next place of the channel, where chains are kept; 0: there is none.
    next: u64,
}

/// The places of one channel. They are numbered from 1 in the order in which they were taken.
#[derive(Debug, Clone, Copy)]
struct Chain {
    oldest: u64,
    latest: u64,
}

impl Line {
    /// How many events wait.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.gaps
    }

    /// Adds an event at the end.
    pub(super) fn push(&mut self, event: Queued) {
        if self.chains.is_some() {
            let number = self.gone + self.places.len() as u64 + 1;
            self.chain(event.channel, number);
        }
        self.places.push_back(Place { event, next: 0 });
    }

    /// Takes the first event.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let place = self.places.pop_front()?;
        self.gone += 1;
        if self.chains.is_some() {
            self.unchain(place.event.channel, place.next);
        }
        self.let_gaps_go();
        Some(place.event)
    }

    /// The latest event of a channel.
    pub(super) fn latest_of(&mut self, channel: u64) -> Option<&mut Queued> {
        if self.places.is_empty() {
            return None;
        }
        self.keep_chains();
        let latest = self.chains.as_ref()?.get(&channel)?.latest;
        let index = self.index(latest);
        self.places.get_mut(index).map(|place| &mut place.event)
    }

    /// The oldest event of a channel.
    pub(super) fn oldest_of(&mut self, channel: u64) -> Option<&mut Queued> {
        if self.places.is_empty() {
            return None;
        }
        self.keep_chains();
        let oldest = self.chains.as_ref()?.get(&channel)?.oldest;
        let index = self.index(oldest);
        self.places.get_mut(index).map(|place| &mut place.event)
    }

    /// Takes the event behind the oldest of a channel out of turn.
    pub(super) fn remove_second_of(&mut self, channel: u64) -> Option<Queued> {
        self.keep_chains();
        let Chain { oldest, latest } = *self.chains.as_ref()?.get(&channel)?;
        let first = self.index(oldest);
        let second = self.places.get(first)?.next;
        let index = self.index(second.max(1 + self.gone));
        let place = self.places.get_mut(index).filter(|_| second != 0)?;
        let next = place.next;
        let event = std::mem::replace(&mut place.event, Queued::gap());
        self.places[first].next = next;
        self.gaps += 1;
        if let Some(chain) = self.chains.as_mut()?.get_mut(&channel)
            && latest == second
        {
            chain.latest = oldest;
        }
        self.let_gaps_go();
        Some(event)
    }

    /// Takes all events of a channel out. Gives what they counted for.
    pub(super) fn remove_all_of(&mut self, channel: u64) -> usize {
        let mut freed = 0;
        if self.chains.is_some() {
            while let Some(event) = self.take_oldest_of(channel) {
                freed += event.size();
            }
        } else {
            // Without chains there are no gaps.
            self.places.retain(|place| {
                let goes = place.event.channel == channel;
                freed += if goes { place.event.size() } else { 0 };
                !goes
            });
        }
        self.let_gaps_go();
        freed
    }

    fn index(&self, number: u64) -> usize {
        // No more than there are places, which fit into memory.
        (number - self.gone - 1) as usize
    }

    fn take_oldest_of(&mut self, channel: u64) -> Option<Queued> {
        let oldest = self.chains.as_ref()?.get(&channel)?.oldest;
        let index = self.index(oldest);
        let place = self.places.get_mut(index)?;
        let event = std::mem::replace(&mut place.event, Queued::gap());
        let next = place.next;
        self.gaps += 1;
        self.unchain(channel, next);
        Some(event)
    }

    /// Adds a place to the chain of its channel.
    fn chain(&mut self, channel: u64, number: u64) {
        let Some(chains) = &mut self.chains else { return };
        let only = Chain {
            oldest: number,
            latest: number,
        };
        let chain = chains.entry(channel).or_insert(only);
        let before = std::mem::replace(&mut chain.latest, number);
        if before != number {
            let index = self.index(before);
            self.places[index].next = number;
        }
    }

    /// The oldest of a channel is gone; `next` is now.
    fn unchain(&mut self, channel: u64, next: u64) {
        let Some(chains) = &mut self.chains else { return };
        if next == 0 {
            chains.remove(&channel);
        } else if let Some(chain) = chains.get_mut(&channel) {
            chain.oldest = next;
        }
    }

    /// Has the places of each channel chained.
    fn keep_chains(&mut self) {
        if self.chains.is_some() {
            return;
        }
        self.chains = Some(HashMap::default());
        for index in 0..self.places.len() {
            self.chain(self.places[index].event.channel, self.gone + index as u64 + 1);
        }
        self.look_at(self.places.len());
    }

    /// Removes gaps from the front, and all of them where there are many.
    fn let_gaps_go(&mut self) {
        while self.gaps > 0 && self.places.front().is_some_and(Place::is_gap) {
            self.places.pop_front();
            self.gone += 1;
            self.gaps -= 1;
        }
        if self.places.is_empty() {
            self.chains = None;
            if self.places.capacity() > 64 {
                self.places = VecDeque::new();
            }
        } else if self.gaps > FEW && self.gaps > self.len() {
            self.look_at(self.places.len());
            self.places.retain(|place| !place.is_gap());
            self.places.iter_mut().for_each(|place| place.next = 0);
            if self.places.len() < self.places.capacity() / 4 {
                self.places.shrink_to_fit();
            }
            self.gaps = 0;
            self.chains = None;
            self.keep_chains();
        }
    }

    fn look_at(&mut self, _places: usize) {
        #[cfg(test)]
        {
            self.looked_at += _places;
        }
    }
}

impl Queued {
    fn gap() -> Self {
        Self {
            message: Bytes::new(),
            channel: GAP,
        }
    }
}

impl Place {
    fn is_gap(&self) -> bool {
        self.event.channel == GAP
    }
}

/// For the numbers of channels, which the server counts itself: nobody can choose them to meet.
#[derive(Debug, Default)]
pub(super) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u64(u64::from(byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // The golden ratio's fraction: low and high bits both differ for numbers that follow each other.
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}
