//! Events that came before the answer that says where they belong.

use std::{collections::VecDeque, sync::Arc};

use super::{inbox::Capacity, received::Raw};

/// So much is held of events that cannot be given yet, until the server has answered. What is held besides is asked for again.
pub(super) const MOST_HELD: Capacity = Capacity {
    events: 1_024,
    bytes: 1 << 20,
};

/// Events that cannot be given yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: VecDeque<(u64, Arc<Raw>)>,
    bytes: usize,
    /// There was no room for all.
    pub(super) overrun: bool,
}

impl Held {
    /// Holds an event of a channel. After the first that does not fit, none is held.
    pub(super) fn push(&mut self, number: u64, raw: Arc<Raw>) {
        let cost = raw.cost();
        if self.events.len() >= MOST_HELD.events || self.bytes + cost > MOST_HELD.bytes {
            self.overrun = true;
        }
        if !self.overrun {
            self.bytes += cost;
            self.events.push_back((number, raw));
        }
    }

    /// Takes out what is of one channel.
    pub(super) fn take(&mut self, number: u64) -> Vec<Arc<Raw>> {
        let (of_it, others) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|(other, _)| *other == number);
        self.events = others;
        let of_it: VecDeque<(u64, Arc<Raw>)> = of_it;
        let taken: Vec<_> = of_it.into_iter().map(|(_, raw)| raw).collect();
        self.bytes -= taken.iter().map(|raw| raw.cost()).sum::<usize>();
        taken
    }
}
