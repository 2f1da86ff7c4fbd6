//! Which deliveries are right in a channel with history: every event in its order, each once, or a gap where history did not have
//! what came between; behind a snapshot, what came after it.

use rpc_runtime::hub::{
    Position,
    client::{Gap, GapCause},
};

use super::{Given, Item, Log, Tally, What};

/// Where a subscription began.
#[derive(Debug, Clone)]
pub enum Began {
    /// No later than where the channel was when it was answered.
    Answered(Position),
    /// Behind a position that the program had named: what is missing from there is told.
    Behind(Position),
    /// By the server's will, no later than here.
    By(Position),
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
        let mut at = start(subscribed);
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
}

fn start(subscribed: &Subscribed<'_>) -> Position {
    let first = match subscribed.items.first().map(|first| &first.given) {
        None => None,
        Some(Given::Event(_, position)) => position.map(|position| Position {
            offset: position.offset.saturating_sub(1),
            ..position
        }),
        // A state may be older than what it is asked for behind: what came after it follows.
        Some(Given::Snapshot(_, position)) => return state_at(subscribed.began, *position),
        Some(Given::Gap(gap)) => gap.last,
    };
    match subscribed.began {
        // What was published while it began may be before or behind its beginning.
        Began::Answered(after) => match first {
            // What is asked for may be answered by what was asked before, which was given up: then it begins earlier.
            Some(first) if first.epoch == after.epoch => Position {
                offset: first.offset.min(after.offset),
                ..*after
            },
            // Another history began meanwhile, or nobody had told its node of that yet.
            Some(first) => first,
            None => *after,
        },
        Began::Behind(position) => *position,
        Began::By(latest) => match first {
            Some(first) if first.epoch == latest.epoch && first.offset > latest.offset => *latest,
            first => first.unwrap_or(*latest),
        },
    }
}

fn state_at(began: &Began, position: Option<Position>) -> Position {
    let latest = match began {
        Began::Answered(position) | Began::Behind(position) | Began::By(position) => *position,
    };
    let at = position.unwrap_or(Position { offset: 0, ..latest });
    assert!(
        at.epoch != latest.epoch || at.offset <= latest.offset,
        "the state is of later: {at:?}"
    );
    at
}
