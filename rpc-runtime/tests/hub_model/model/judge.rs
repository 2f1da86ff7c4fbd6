//! Which deliveries are right in a channel with history: every event in its order, each once, or a gap where history did not have
//! what came between; behind a snapshot, what came after it.

use rpc_runtime::hub::{Position, client::GapCause};

use super::{Gap, Given, Item, Log, Tally, What};

/// Where a subscription began.
#[derive(Debug, Clone)]
pub enum Began {
    /// No earlier than where the channel was before it could be asked for, and no later than where it was when it was there.
    Between(Position, Position),
    /// Behind a position that the program had named: what is missing from there is told.
    Behind(Position),
}

/// A subscription, as it is to be judged.
pub struct Subscribed<'a> {
    pub items: &'a [Item],
    pub began: &'a Began,
    /// All ids that its client had.
    pub ids: &'a [String],
    pub snapshots: bool,
    /// It is to have everything up to the end of the log.
    pub to_end: bool,
}

impl Log {
    /// Holds what a subscription gave against what was published.
    pub fn check(&self, subscribed: &Subscribed<'_>) {
        let mut at = self.start(subscribed);
        let mut snapshot = subscribed.snapshots && !matches!(subscribed.began, Began::Behind(_));
        for item in subscribed.items {
            match &item.given {
                Given::Event(what, position) => {
                    assert!(!snapshot, "{what:?} came before the snapshot");
                    let position = position.unwrap_or_else(|| panic!("{what:?} has no position"));
                    self.check_event(at, what, position, item, subscribed.ids);
                    at = position;
                }
                Given::Snapshot(tally, position) => {
                    assert!(snapshot, "a snapshot in between");
                    at = self.check_snapshot(at, *tally, *position, subscribed);
                    snapshot = false;
                }
                Given::Gap(gap) => {
                    at = self.check_gap(at, gap, subscribed.ids);
                    snapshot = subscribed.snapshots;
                }
            }
        }
        if subscribed.to_end {
            let top = self.top();
            assert!(!snapshot, "the snapshot is missing");
            self.check_between(at, u64::MAX, subscribed.ids);
            if at.epoch != top.epoch {
                // It cannot know, unless something of that was for it.
                self.check_between(Position { offset: 0, ..top }, u64::MAX, subscribed.ids);
            }
        }
    }

    fn check_event(&self, at: Position, what: &What, position: Position, item: &Item, ids: &[String]) {
        assert_eq!(
            position.epoch, at.epoch,
            "an event of another history without a gap"
        );
        assert!(
            position.offset > at.offset,
            "{what:?} at {position:?} came behind {at:?}"
        );
        self.check_between(at, position.offset, ids);
        let published = self
            .at(position)
            .unwrap_or_else(|| panic!("{position:?} was never acknowledged"));
        assert_eq!(published.what, *what, "at {position:?}");
        let by: Vec<_> = item.by.iter().cloned().collect();
        assert!(published.is_for(&by), "{what:?} is not for its reader");
    }

    /// Gives where it goes on: behind the state, or behind what of it was known before.
    fn check_snapshot(
        &self,
        at: Position,
        tally: Tally,
        position: Option<Position>,
        of: &Subscribed<'_>,
    ) -> Position {
        let Some(position) = position else {
            // Of a history that is over, or of no event yet: everything comes behind it.
            let over = self.epochs.keys().map(|&epoch| Position {
                epoch,
                offset: tally.count,
            });
            assert!(
                over.into_iter().any(|end| self.tally(end) == tally),
                "a state that never was: {tally:?}"
            );
            self.check_between(Position { offset: 0, ..at }, at.offset + 1, of.ids);
            return at;
        };
        assert_eq!(
            position.epoch, at.epoch,
            "a snapshot of another history than where it goes on"
        );
        assert_eq!(self.tally(position), tally, "the state at {position:?}");
        // What lies between the state and where it goes on is for others.
        self.check_between(position, at.offset + 1, of.ids);
        Position {
            offset: at.offset.max(position.offset),
            ..at
        }
    }

    /// Gives where it goes on.
    fn check_gap(&self, at: Position, gap: &Gap, ids: &[String]) -> Position {
        assert_eq!(gap.cause, GapCause::NotRecovered);
        let (Some(from), Some(to)) = (gap.last, gap.next) else {
            panic!("a gap without its ends: {gap:?}");
        };
        assert!(
            from.epoch == at.epoch && from.offset >= at.offset,
            "a gap begins at {from:?}, not {at:?}"
        );
        self.check_between(at, from.offset + 1, ids);
        assert!(
            self.was_not_covered(from),
            "a gap from {from:?}, where history had everything"
        );
        to
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
            assert!(!entry.is_for(ids), "{:?} at {offset} is missing", entry.what);
        }
    }

    /// Where a subscription begins: by its first item, within what the broker has told.
    fn start(&self, subscribed: &Subscribed<'_>) -> Position {
        let (asked, answered) = match *subscribed.began {
            Began::Between(asked, answered) => (asked, answered),
            Began::Behind(position) => return position,
        };
        let first = match subscribed.items.first().map(|first| &first.given) {
            None => return answered,
            Some(Given::Event(_, position)) => position.map(|position| Position {
                offset: position.offset.saturating_sub(1),
                ..position
            }),
            Some(Given::Gap(gap)) => gap.last,
            Some(Given::Snapshot(_, position)) => {
                return self.state_at(subscribed.items, *position, asked, answered);
            }
        };
        let first = first.unwrap_or(answered);
        let (first_is, answered_is) = (self.order(first), self.order(answered));
        assert!(first_is.is_some(), "there was never a history of {first:?}");
        assert!(
            first_is >= self.order(asked),
            "it begins at {first:?}, and was asked for behind {asked:?}"
        );
        // What was published behind the answer follows.
        if first_is > answered_is { answered } else { first }
    }

    /// Where a state is that a subscription begins with, which may be older than what it is asked for behind: without a position of its
    /// own, in front of all of the history that it goes on in.
    fn state_at(
        &self,
        items: &[Item],
        position: Option<Position>,
        asked: Position,
        answered: Position,
    ) -> Position {
        // Another history may have begun before the program was told of its subscription.
        let goes_on = items.iter().find_map(|item| match &item.given {
            Given::Event(_, position) => *position,
            Given::Gap(gap) => gap.last,
            Given::Snapshot(..) => None,
        });
        let at = position.unwrap_or(Position {
            offset: 0,
            ..goes_on.unwrap_or(answered)
        });
        let place = |position| self.order(position).map(|(place, _)| place);
        assert!(
            place(at) >= place(asked),
            "the state is of a history that was over: {at:?}, and asked for behind {asked:?}"
        );
        assert!(
            self.order(at) <= self.order(answered),
            "the state is of later: {at:?}"
        );
        at
    }
}
