//! The reference: what was published in each channel, and which deliveries are right by that. It knows nothing of queues,
//! connections or time but what it is told.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use rpc_runtime::hub::Position;

/// What was published in a channel, as its publishers were told.
#[derive(Default)]
pub struct Log {
    /// By epoch and offset.
    epochs: HashMap<u64, BTreeMap<u64, Entry>>,
    /// The last one in which something was published.
    epoch: u64,
    /// What was published where there is no history, in the order of delivery.
    passed_by: Vec<u64>,
}

struct Entry {
    number: u64,
    /// The client, by its id, that it is not for.
    except: Option<String>,
}

/// What one subscription gave to its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// An event, and where it was.
    Event { number: u64, position: Position },
    /// Something was missed: nothing is said of what lies between the two.
    Gap { from: Position, to: Position },
}

/// A subscription, as it is to be judged.
pub struct Subscribed<'a> {
    pub delivered: &'a [Delivered],
    /// The id that its client had when each was read.
    pub by: &'a [Option<String>],
    /// Between which offsets it began.
    pub began: (u64, RangeInclusive<u64>),
    /// So many events are in history at most.
    pub kept: u64,
    /// All ids that its client had.
    pub ids: &'a [String],
    /// It is to have everything up to the end of the log.
    pub to_end: bool,
}

impl Log {
    /// An event was acknowledged to its publisher.
    pub fn published(&mut self, number: u64, position: Position, except: Option<String>) {
        self.epoch = position.epoch;
        let events = self.epochs.entry(position.epoch).or_default();
        let before = events.insert(position.offset, Entry { number, except });
        assert!(before.is_none(), "two events were acknowledged at {position:?}");
    }

    /// An event was published in a channel without history.
    pub fn passed_by(&mut self, number: u64) {
        self.passed_by.push(number);
    }

    /// Holds what came in a channel without history against what was published: some of it, in its order, each once.
    pub fn check_passed_by(&self, numbers: &[u64]) {
        let mut published = self.passed_by.iter();
        for number in numbers {
            assert!(
                published.any(|other| other == number),
                "{number} in {numbers:?} is out of order, or doubled"
            );
        }
    }

    /// The latest position.
    pub fn top(&self) -> Position {
        let top = self.epochs.get(&self.epoch).and_then(BTreeMap::last_key_value);
        Position {
            epoch: self.epoch,
            offset: top.map_or(0, |(&offset, _)| offset),
        }
    }

    /// Every offset from the first to the last was acknowledged: nobody else publishes.
    pub fn check_whole(&self) {
        for events in self.epochs.values() {
            for (expected, (&offset, entry)) in (1..).zip(events) {
                assert_eq!(offset, expected, "before the event {}", entry.number);
            }
        }
    }

    /// Holds what a subscription gave against what was published.
    pub fn check(&self, subscribed: &Subscribed<'_>) {
        let (epoch, began) = &subscribed.began;
        let first = subscribed.delivered.first().map(|first| match *first {
            Delivered::Event { position, .. } => position.offset.saturating_sub(1),
            Delivered::Gap { from, .. } => from.offset,
        });
        let mut at = Position {
            epoch: *epoch,
            // What was published while it began may be before or behind its beginning.
            offset: first.unwrap_or(*began.end()).clamp(*began.start(), *began.end()),
        };
        for (item, by) in subscribed.delivered.iter().zip(subscribed.by) {
            match *item {
                Delivered::Event { number, position } => {
                    assert_eq!(
                        position.epoch, at.epoch,
                        "an event of another history without a gap"
                    );
                    assert!(
                        position.offset > at.offset,
                        "{number} at {position:?} came behind {at:?}"
                    );
                    self.check_between(at, position.offset, subscribed.ids);
                    let entry = self
                        .epochs
                        .get(&at.epoch)
                        .and_then(|events| events.get(&position.offset));
                    let published = entry.unwrap_or_else(|| panic!("{position:?} was never acknowledged"));
                    assert_eq!(published.number, number, "at {position:?}");
                    let is_for_others = published.except.is_some() && published.except == *by;
                    assert!(!is_for_others, "the event {number} is not for its reader");
                    at = position;
                }
                Delivered::Gap { from, to } => {
                    assert!(
                        from.epoch == at.epoch && from.offset >= at.offset,
                        "a gap begins at {from:?}, not {at:?}"
                    );
                    self.check_between(at, from.offset + 1, subscribed.ids);
                    if from.epoch == to.epoch {
                        // It is told exactly where history does not cover it.
                        assert!(
                            to.offset > from.offset + subscribed.kept,
                            "a gap from {from:?} to {to:?}, where {} events are kept",
                            subscribed.kept,
                        );
                    }
                    at = to;
                }
            }
        }
        if subscribed.to_end {
            let top = self.top();
            assert_eq!(at.epoch, top.epoch, "the subscription ends in an older history");
            self.check_between(at, top.offset + 1, subscribed.ids);
        }
    }

    /// All events between two offsets are not for the client.
    fn check_between(&self, after: Position, before: u64, ids: &[String]) {
        let Some(events) = self.epochs.get(&after.epoch) else {
            return;
        };
        if before <= after.offset + 1 {
            return;
        }
        for (offset, entry) in events.range(after.offset + 1..before) {
            let is_for_others = entry.except.as_ref().is_some_and(|except| ids.contains(except));
            assert!(is_for_others, "the event {} at {offset} is missing", entry.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> Position {
        Position { epoch: 7, offset }
    }

    fn event(number: u64, offset: u64) -> Delivered {
        Delivered::Event {
            number,
            position: at(offset),
        }
    }

    fn judge(delivered: &[Delivered]) -> bool {
        let mut log = Log::default();
        for offset in 1..=10 {
            log.published(offset * 100, at(offset), (offset == 4).then(|| "me".to_owned()));
        }
        let subscribed = Subscribed {
            delivered,
            by: &vec![Some("me".to_owned()); delivered.len()],
            began: (7, 2..=2),
            kept: 3,
            ids: &["me".to_owned()],
            to_end: true,
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| log.check(&subscribed))).is_ok()
    }

    #[test]
    fn the_reference_accepts_what_is_right_and_nothing_else() {
        let all: Vec<_> = [3, 5, 6, 7, 8, 9, 10]
            .map(|offset| event(offset * 100, offset))
            .into();
        assert!(judge(&all));
        assert!(!judge(&all[1..]), "the first is missing");
        assert!(!judge(&all[..6]), "the last is missing");
        assert!(
            !judge(&[&all[..3], &all[4..]].concat()),
            "one in between is missing"
        );
        assert!(!judge(&[&all[..3], &all[2..]].concat()), "one is doubled");
        assert!(
            !judge(&[&[all[1], all[0]], &all[2..]].concat()),
            "two are in the wrong order"
        );
        let gap = Delivered::Gap {
            from: at(5),
            to: at(9),
        };
        assert!(judge(&[all[0], all[1], gap, all[6]]));
        let needless = Delivered::Gap {
            from: at(6),
            to: at(9),
        };
        assert!(
            !judge(&[all[0], all[1], all[2], needless, all[6]]),
            "history had it"
        );
        let others = [&all[..1], &[event(400, 4)], &all[1..]].concat();
        assert!(!judge(&others), "one that is not for it");
        let mut wrong = all.clone();
        wrong[3] = event(1, 7);
        assert!(!judge(&wrong), "another event");
    }
}
