//! What all channels take of the broker together, and whether there is room for more.
//!
//! It only counts: which channels there are, and which of them go, is the [shelf](super::shelf)'s.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::topic::Topic;

/// How much there may be of all channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) channels: usize,
    /// What they count for, with what is to be added.
    pub(super) weight: usize,
}

impl Most {
    /// How much of it there may be for those who listen: a quarter is left to those who publish.
    fn to_listen(self) -> Self {
        Self {
            channels: self.channels - self.channels / 4,
            weight: self.weight - self.weight / 4,
        }
    }
}

/// Why nothing can be added.
#[derive(Debug, Clone, Copy)]
pub(super) enum NoRoom {
    /// There are as many channels as there may be.
    Channels,
    /// They take as much memory as they may.
    Memory,
}

/// What there is of all channels.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// How many channels there are.
    channels: AtomicUsize,
    /// What they, their events and their members count for.
    weight: AtomicUsize,
    /// How many of them somebody listens to, and what those and their members count for.
    held_channels: AtomicUsize,
    held_weight: AtomicUsize,
}

impl Room {
    /// How many channels there are, also those that nobody has noticed yet to be over.
    pub(super) fn channels(&self) -> usize {
        self.channels.load(Ordering::Relaxed)
    }

    /// What all channels, events and members count for.
    pub(super) fn weight(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    /// Whether there is room for what counts for so much.
    pub(super) fn has(&self, adds: usize, most: Most) -> bool {
        self.weight() + adds <= most.weight
    }

    /// A channel begins, which counts for `own` by itself and of which `adds` is to come.
    pub(super) fn begin(&self, own: usize, adds: usize, most: Most) -> Result<(), NoRoom> {
        if !self.has(own + adds, most) {
            return Err(NoRoom::Memory);
        }
        if self.channels.fetch_add(1, Ordering::Relaxed) >= most.channels {
            self.end();
            return Err(NoRoom::Channels);
        }
        self.weight.fetch_add(own, Ordering::Relaxed);
        Ok(())
    }

    /// A channel is off the list. What it counted for was taken off before.
    pub(super) fn end(&self) {
        self.channels.fetch_sub(1, Ordering::Relaxed);
    }

    /// Does something with a channel, and counts by how much more or less it takes.
    pub(super) fn weighed<T>(&self, topic: &mut Topic, act: impl FnOnce(&mut Topic) -> T) -> T {
        let (before, held) = (topic.weight(), topic.held());
        let done = act(topic);
        count(&self.weight, before, topic.weight());
        let holds = topic.held();
        if holds != held {
            count(&self.held_channels, held.channels, holds.channels);
            count(&self.held_weight, held.bytes, holds.bytes);
        }
        done
    }

    /// Whether somebody else may listen to a channel, which adds so much beside the channel itself. Of all, there are at most `most`.
    pub(super) fn may_listen(&self, topic: &Topic, adds: usize, most: Most) -> Result<(), NoRoom> {
        let (more, most) = (topic.to_be_held(), most.to_listen());
        // What is held already stays.
        let over = |held: &AtomicUsize, more, most| more > 0 && held.load(Ordering::Relaxed) + more > most;
        match over(&self.held_channels, more.channels, most.channels) {
            true => Err(NoRoom::Channels),
            false if over(&self.held_weight, more.bytes + adds, most.weight) => Err(NoRoom::Memory),
            false => Ok(()),
        }
    }

    /// What those take who listen.
    #[cfg(test)]
    pub(super) fn held(&self) -> super::Taken {
        super::Taken {
            channels: self.held_channels.load(Ordering::Relaxed),
            bytes: self.held_weight.load(Ordering::Relaxed),
        }
    }
}

/// One of what is counted has become more or less.
fn count(all: &AtomicUsize, before: usize, after: usize) {
    if after >= before {
        all.fetch_add(after - before, Ordering::Relaxed);
    } else {
        all.fetch_sub(before - after, Ordering::Relaxed);
    }
}
