//! Which deliveries are right in a channel without history: everything while the subscriber is connected, but what the channel's
//! policy for slow consumers lets go of while it does not take anything.

use rpc_runtime::hub::client::GapCause;
use tokio::time::Instant;

use super::{Entry, Given, Item, Log, Tally};

/// What a subscriber of the channel may lose without being told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Losing {
    /// Nothing.
    Nothing,
    /// The oldest that wait for it, while it takes none.
    Oldest,
    /// What another has replaced before it was taken.
    Replaced,
}

/// A subscription, as it is to be judged.
pub struct Passing<'a> {
    pub items: &'a [Item],
    /// How many its client had surely taken when it was asked for, and how many had been published when it had begun.
    pub began: (usize, usize),
    /// How many connections its client had had then.
    pub connections: u64,
    /// How often it may have been interrupted besides, by the server's will.
    pub interrupted: u64,
    pub ids: &'a [String],
    pub losing: Losing,
    pub snapshots: bool,
    /// Whether its client took nothing at a moment, or could not take as much as came.
    pub slow_at: &'a dyn Fn(Instant) -> bool,
    /// It is to have everything up to the end.
    pub to_end: bool,
}

/// How far a subscription is, in what has passed by.
struct Walk {
    /// Everything before was given, was for others, or was let go of.
    covered: usize,
    /// Nothing before it may come.
    last: usize,
    /// Something may be missing here.
    gap: bool,
    /// Exactly so many are missing here.
    missed: Option<u64>,
    gaps: u64,
    let_go: u64,
    /// The next is a snapshot.
    snapshot: bool,
}

impl Log {
    /// Holds what a subscription gave against what was published. Gives how many were let go of without a word.
    pub fn check_passing(&self, passing: &Passing<'_>) -> u64 {
        let (earliest, latest) = passing.began;
        let first = passing.items.iter().find_map(|item| self.place(item, earliest));
        let mut walk = Walk {
            covered: first.unwrap_or(latest).clamp(earliest, latest),
            last: earliest,
            gap: false,
            missed: None,
            gaps: 0,
            let_go: 0,
            snapshot: passing.snapshots,
        };
        for item in passing.items {
            match &item.given {
                Given::Gap(gap) => {
                    let counted = (gap.cause == GapCause::NotRead).then_some(gap.missed).flatten();
                    walk.missed = counted.filter(|_| !walk.gap);
                    walk.gap = true;
                    if gap.cause == GapCause::NoHistory {
                        walk.gaps += 1;
                        walk.snapshot = passing.snapshots;
                        let lost = item.connections - passing.connections + passing.interrupted;
                        assert!(walk.gaps <= lost, "a gap though nothing was lost: {gap:?}");
                    } else {
                        // The snapshot may be what was not read.
                        walk.snapshot = false;
                    }
                }
                Given::Snapshot(tally, position) => {
                    assert!(walk.snapshot, "a snapshot in between");
                    assert_eq!(*position, None);
                    let count = self.passed_at(*tally);
                    walk.covered = walk.covered.max(count).max(walk.last);
                    (walk.snapshot, walk.gap, walk.missed) = (false, false, None);
                }
                Given::Event(what, position) => {
                    assert!(!walk.snapshot, "{what:?} came before the snapshot");
                    assert_eq!(*position, None);
                    let place = self.place(item, walk.last);
                    let place = place.unwrap_or_else(|| panic!("{what:?} is out of order, or doubled"));
                    let entry = &self.passed_by[place];
                    let by: Vec<_> = item.by.iter().cloned().collect();
                    assert!(entry.is_for(&by), "{what:?} is not for its reader");
                    self.pass(&mut walk, place, passing, false);
                    (walk.covered, walk.last) = (walk.covered.max(place + 1), place + 1);
                }
            }
        }
        if passing.to_end {
            self.pass(&mut walk, self.passed_by.len(), passing, true);
        }
        walk.let_go
    }

    /// Where an event is, from a place on. A key is no use where there is no history: what is published again comes again.
    fn place(&self, item: &Item, from: usize) -> Option<usize> {
        let Given::Event(what, _) = &item.given else {
            return None;
        };
        let is_it = |entry: &Entry| entry.id == item.id && entry.what == *what;
        let place = self.passed_by[from..].iter().position(is_it)?;
        Some(from + place)
    }

    fn passed_at(&self, tally: Tally) -> usize {
        // No more than there are.
        let count = tally.count as usize;
        assert_eq!(self.tally_of_passed(count), tally, "a state that never was");
        count
    }

    /// Passes what was not given.
    fn pass(&self, walk: &mut Walk, to: usize, passing: &Passing<'_>, is_end: bool) {
        let between = walk.covered.min(to)..to;
        let missing: Vec<usize> = between
            .filter(|&place| self.passed_by[place].is_for(passing.ids))
            .collect();
        if let Some(missed) = walk.missed.take()
            && passing.losing == Losing::Nothing
        {
            assert_eq!(
                missing.len() as u64,
                missed,
                "it is told of another number: {missing:?}"
            );
        }
        if !std::mem::take(&mut walk.gap) {
            for place in missing {
                let entry = &self.passed_by[place];
                // Published twice, it cannot be told which of the two was given.
                let is_twin =
                    |item: &Item| item.id == entry.id && item.given == Given::Event(entry.what.clone(), None);
                if passing.losing != Losing::Nothing && passing.items.iter().any(is_twin) {
                    continue;
                }
                let may_be = match passing.losing {
                    Losing::Nothing => false,
                    Losing::Oldest => (passing.slow_at)(entry.came),
                    Losing::Replaced => {
                        let next = self.passed_by.get(place + 1);
                        let at_once = |next: &Entry| next.came == entry.came;
                        // The latest waits for it, whatever came before.
                        !(is_end && next.is_none())
                            && ((passing.slow_at)(entry.came) || next.is_some_and(at_once))
                    }
                };
                assert!(may_be, "{:?} is missing at {place}", entry.what);
                walk.let_go += 1;
            }
        }
    }
}
