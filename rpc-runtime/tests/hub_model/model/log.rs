//! What was published in one channel, and what its history has at a moment: kept by count, by bytes and by time.

use std::collections::{BTreeMap, HashMap, HashSet};

use rpc_runtime::hub::{HistoryQuery, Position, Retention};
use tokio::time::Instant;

use super::{Entry, Tally};

/// A channel.
pub struct Log {
    keep: Retention,
    /// By epoch and offset.
    pub(super) epochs: HashMap<u64, BTreeMap<u64, Entry>>,
    /// In the order in which they were told.
    order: Vec<u64>,
    /// What was published where there is no history, in the order of delivery.
    pub(super) passed_by: Vec<Entry>,
    /// Positions behind which history did not have everything when it was asked.
    not_covered: HashSet<Position>,
}

/// What a history gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub offsets: Vec<u64>,
    pub complete: bool,
    pub more: bool,
}

impl Log {
    pub fn new(keep: Retention) -> Self {
        Self {
            keep,
            epochs: HashMap::new(),
            order: Vec::new(),
            passed_by: Vec::new(),
            not_covered: HashSet::new(),
        }
    }

    /// The broker has told where the channel is. `may_begin` says whether it may have begun another history.
    pub fn told(&mut self, position: Position, may_begin: bool) {
        if self.order.last() != Some(&position.epoch) {
            assert!(
                may_begin || self.order.is_empty(),
                "another history has begun for nothing"
            );
            assert!(!self.epochs.contains_key(&position.epoch), "an epoch comes twice");
            self.order.push(position.epoch);
            self.epochs.insert(position.epoch, BTreeMap::new());
        }
        assert_eq!(position, self.top());
    }

    /// The latest position.
    pub fn top(&self) -> Position {
        let epoch = self.order.last().copied().unwrap_or_default();
        let offset = self.present().last_key_value().map_or(0, |(&offset, _)| offset);
        Position { epoch, offset }
    }

    /// Where everybody knew by a moment that the channel was. Of another history a node hears by its first event.
    pub fn known_before(&self, at: Instant) -> Position {
        let known = self.order.iter().rev().find_map(|&epoch| {
            let mut events = self.epochs[&epoch].iter().rev();
            let (&offset, _) = events.find(|(_, entry)| entry.came < at)?;
            Some(Position { epoch, offset })
        });
        let epoch = self.order.first().copied().unwrap_or_default();
        known.unwrap_or(Position { epoch, offset: 0 })
    }

    /// By what positions of all histories are before one another; `None` where the broker has never told of that one.
    pub(super) fn order(&self, position: Position) -> Option<(usize, u64)> {
        let place = self.order.iter().position(|&epoch| epoch == position.epoch)?;
        Some((place, position.offset))
    }

    /// Where the history ended that was before this one.
    pub fn end_before(&self) -> Option<Position> {
        let [.., epoch, _] = *self.order else { return None };
        let (&offset, _) = self.epochs[&epoch].last_key_value()?;
        Some(Position { epoch, offset })
    }

    /// How many have been published without history.
    pub fn passed_by(&self) -> usize {
        self.passed_by.len()
    }

    /// How many passed by before a moment.
    pub fn passed_before(&self, at: Instant) -> usize {
        self.passed_by.partition_point(|entry| entry.came < at)
    }

    /// An event was given a position, or has passed by.
    pub fn published(&mut self, entry: Entry, position: Option<Position>, may_begin: bool) {
        let Some(position) = position else {
            self.passed_by.push(entry);
            return;
        };
        let before = Position {
            offset: position.offset - 1,
            ..position
        };
        self.told(before, may_begin);
        self.epochs
            .entry(position.epoch)
            .or_default()
            .insert(position.offset, entry);
    }

    /// The first offset that history still has; one more than the latest where it has none.
    fn oldest(&self, now: Instant) -> u64 {
        let (mut count, mut bytes) = (0, 0);
        let mut oldest = self.top().offset + 1;
        for (&offset, entry) in self.present().iter().rev() {
            (count, bytes) = (count + 1, bytes + entry.bytes);
            let is_young = now.duration_since(entry.came) < self.keep.time;
            if count > self.keep.events || bytes > self.keep.bytes || !is_young {
                break;
            }
            oldest = offset;
        }
        oldest
    }

    fn present(&self) -> &BTreeMap<u64, Entry> {
        static NONE: BTreeMap<u64, Entry> = BTreeMap::new();
        let epoch = self.order.last();
        epoch.map_or(&NONE, |epoch| &self.epochs[epoch])
    }

    /// Where the event with a key is, as far as history has it.
    pub fn of_key(&self, key: &str, now: Instant) -> Option<Position> {
        let kept = self.present().range(self.oldest(now)..);
        let mut same = kept.filter(|(_, entry)| entry.key.as_deref() == Some(key));
        let (&offset, _) = same.next()?;
        assert_eq!(same.next().map(|(offset, _)| offset), None, "stored twice: {key}");
        Some(Position { offset, ..self.top() })
    }

    /// What history gives, which was asked for that.
    pub fn read(&mut self, query: &HistoryQuery, now: Instant) -> Page {
        let page = self.page(query, now);
        if let Some(after) = query.after.filter(|_| !page.complete || page.more) {
            self.not_covered.insert(after);
        }
        page
    }

    /// What history gives.
    pub fn page(&self, query: &HistoryQuery, now: Instant) -> Page {
        let top = self.top();
        let oldest = self.oldest(now);
        let after = query.after.unwrap_or(Position { offset: 0, ..top });
        let is_known = after.epoch == top.epoch && after.offset <= top.offset;
        let mut offsets: Vec<u64> = self
            .present()
            .range(oldest..)
            .filter(|&(&offset, entry)| {
                is_known
                    && offset > after.offset
                    && query.before.is_none_or(|before| offset < before)
                    && query.since.is_none_or(|since| entry.time >= since)
                    && query.until.is_none_or(|until| entry.time < until)
            })
            .map(|(&offset, _)| offset)
            .collect();
        if query.newest_first {
            offsets.reverse();
        }
        let more = offsets.len() > query.limit;
        offsets.truncate(query.limit);
        let complete = query.after.is_none() || is_known && after.offset + 1 >= oldest;
        Page {
            offsets,
            complete,
            more,
        }
    }

    /// Whether history was asked for what came behind a position, and did not have it.
    pub(super) fn was_not_covered(&self, position: Position) -> bool {
        self.not_covered.contains(&position)
    }

    /// What is at a position.
    pub fn at(&self, position: Position) -> Option<&Entry> {
        self.epochs.get(&position.epoch)?.get(&position.offset)
    }

    /// The state up to a position.
    pub fn tally(&self, position: Position) -> Tally {
        let events = self.epochs.get(&position.epoch);
        Tally::of(
            events
                .into_iter()
                .flat_map(|events| events.range(..=position.offset))
                .map(|(_, entry)| entry),
        )
    }

    /// The state of a channel without history.
    pub fn tally_of_passed(&self, count: usize) -> Tally {
        Tally::of(self.passed_by[..count].iter())
    }

    /// How often an event with this number was stored, in all histories.
    pub fn count(&self, number: u64) -> usize {
        let all = self
            .epochs
            .values()
            .flat_map(BTreeMap::values)
            .chain(&self.passed_by);
        all.filter(|entry| entry.what == super::What::Tick(number))
            .count()
    }
}
