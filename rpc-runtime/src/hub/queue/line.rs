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

use super::Queued;

/// Fewer gaps than this are left where they are.
const FEW: usize = 32;

/// Events in line.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// Invariant: neither the first nor, while there is any event, all of them are gaps.
    places: VecDeque<Place>,
    /// The chains, while they are kept. Apart, so that what each event touches is little.
    chains: Option<Box<Chains>>,
    /// How many places were looked at, for tests of what it costs.
    #[cfg(test)]
    pub(super) looked_at: usize,
}

/// An event; `None`: a gap.
type Place = Option<Queued>;

/// The places of each channel, as long as somebody wants to know.
#[derive(Debug, Default)]
struct Chains {
    of: HashMap<u64, Chain, BuildHasherDefault<NumberHasher>>,
    /// For each place the number of the next one of its channel; 0: there is none.
    next: VecDeque<u64>,
    /// How many places there were before the first, since chains are kept.
    gone: u64,
    /// How many places are gaps: there are none without chains.
    gaps: usize,
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
        self.places.len() - self.chains.as_ref().map_or(0, |chains| chains.gaps)
    }

    /// Adds an event at the end.
    #[inline]
    pub(super) fn push(&mut self, event: Queued) {
        if let Some(chains) = &mut self.chains {
            chains.add(event.channel());
        }
        self.places.push_back(Some(event));
    }

    /// Takes the first event.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Queued> {
        let event = self.places.pop_front()??;
        if let Some(chains) = &mut self.chains {
            chains.pop(event.channel());
            self.let_gaps_go();
        } else if self.places.is_empty() {
            self.begin_anew();
        }
        Some(event)
    }

    /// The latest event of a channel.
    pub(super) fn latest_of(&mut self, channel: u64) -> Option<&mut Queued> {
        // Mostly it is the last of all, for which nothing is chained. A gap at the end is none.
        if matches!(self.places.back(), Some(Some(last)) if last.channel() == channel) {
            return self.places.back_mut()?.as_mut();
        }
        let index = {
            let chains = self.keep_chains()?;
            chains.index(chains.of.get(&channel)?.latest)
        };
        self.places.get_mut(index)?.as_mut()
    }

    /// The oldest event of a channel.
    pub(super) fn oldest_of(&mut self, channel: u64) -> Option<&mut Queued> {
        let index = {
            let chains = self.keep_chains()?;
            chains.index(chains.of.get(&channel)?.oldest)
        };
        self.places.get_mut(index)?.as_mut()
    }

    /// Takes the event behind the oldest of a channel out of turn.
    pub(super) fn remove_second_of(&mut self, channel: u64) -> Option<Queued> {
        self.keep_chains()?;
        let chains = self.chains.as_mut()?;
        let index = chains.unlink_second_of(channel)?;
        let event = self.places.get_mut(index)?.take();
        self.let_gaps_go();
        event
    }

    /// Takes all events of a channel out. Gives what they counted for.
    pub(super) fn remove_all_of(&mut self, channel: u64) -> usize {
        let mut freed = 0;
        if let Some(chains) = &mut self.chains {
            while let Some(index) = chains.unlink_oldest_of(channel) {
                let event = self.places.get_mut(index).and_then(Option::take);
                freed += event.map_or(0, |event| event.size());
            }
            self.let_gaps_go();
        } else {
            // Without chains there are no gaps.
            self.places.retain(|place| {
                let Some(event) = place else { return false };
                let goes = event.channel() == channel;
                freed += if goes { event.size() } else { 0 };
                !goes
            });
            if self.places.is_empty() {
                self.begin_anew();
            }
        }
        freed
    }

    /// Has the places of each channel chained, where any event waits.
    fn keep_chains(&mut self) -> Option<&Chains> {
        if self.places.is_empty() {
            return None;
        }
        if self.chains.is_none() {
            let mut chains = Box::new(Chains::default());
            let events = self.places.iter().flatten();
            events.for_each(|event| chains.add(event.channel()));
            self.chains = Some(chains);
            self.look_at(self.places.len());
        }
        self.chains.as_deref()
    }

    /// Removes gaps from the front, and all of them where there are many. The chains go with the last event.
    fn let_gaps_go(&mut self) {
        let Some(chains) = &mut self.chains else { return };
        while chains.gaps > 0 && self.places.front().is_some_and(Option::is_none) {
            self.places.pop_front();
            chains.pop_gap();
        }
        if self.places.is_empty() {
            self.begin_anew();
        } else if chains.gaps > FEW && chains.gaps > self.places.len() - chains.gaps {
            self.look_at(self.places.len());
            self.places.retain(Option::is_some);
            if self.places.len() < self.places.capacity() / 4 {
                self.places.shrink_to_fit();
            }
            self.chains = None;
            self.keep_chains();
        }
    }

    /// The line is empty: the next event has the first of its places, which is still near to the processor.
    fn begin_anew(&mut self) {
        self.chains = None;
        match self.places.capacity() > 64 {
            true => self.places = VecDeque::new(),
            false => self.places.clear(),
        }
    }

    fn look_at(&mut self, _places: usize) {
        #[cfg(test)]
        {
            self.looked_at += _places;
        }
    }
}

impl Chains {
    /// Where the place with this number stands.
    fn index(&self, number: u64) -> usize {
        // No more than there are places, which fit into memory.
        (number - self.gone - 1) as usize
    }

    /// Adds a place at the end of all, and of the chain of its channel.
    fn add(&mut self, channel: u64) {
        self.next.push_back(0);
        let number = self.gone + self.next.len() as u64;
        let only = Chain {
            oldest: number,
            latest: number,
        };
        let chain = self.of.entry(channel).or_insert(only);
        let before = std::mem::replace(&mut chain.latest, number);
        if before != number {
            let index = self.index(before);
            self.next[index] = number;
        }
    }

    /// The first place is gone, which was the oldest of its channel.
    fn pop(&mut self, channel: u64) {
        let next = self.next.pop_front().unwrap_or_default();
        self.gone += 1;
        self.advance(channel, next);
    }

    /// The first place is gone, which was a gap.
    fn pop_gap(&mut self) {
        self.next.pop_front();
        self.gone += 1;
        self.gaps -= 1;
    }

    /// The oldest of a channel is none of its places any more; `next` is the oldest now.
    fn advance(&mut self, channel: u64, next: u64) {
        if next == 0 {
            self.of.remove(&channel);
        } else if let Some(chain) = self.of.get_mut(&channel) {
            chain.oldest = next;
        }
    }

    /// Makes the oldest place of a channel a gap. Gives where it stands.
    fn unlink_oldest_of(&mut self, channel: u64) -> Option<usize> {
        let index = self.index(self.of.get(&channel)?.oldest);
        let next = self.next[index];
        self.gaps += 1;
        self.advance(channel, next);
        Some(index)
    }

    /// Makes the place behind the oldest of a channel a gap. Gives where it stands.
    fn unlink_second_of(&mut self, channel: u64) -> Option<usize> {
        let Chain { oldest, latest } = *self.of.get(&channel)?;
        let first = self.index(oldest);
        let second = self.next[first];
        if second == 0 {
            return None;
        }
        let index = self.index(second);
        self.next[first] = self.next[index];
        self.gaps += 1;
        if latest == second
            && let Some(chain) = self.of.get_mut(&channel)
        {
            chain.latest = oldest;
        }
        Some(index)
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
