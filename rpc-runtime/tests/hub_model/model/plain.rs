//! Which deliveries are right in a channel without history: everything while the subscriber is connected, but what the channel's
//! policy for slow consumers lets go of while it does not take anything.

use rpc_runtime::hub::client::GapCause;
use tokio::time::Instant;

use super::{Entry, Given, Item, Log, Tally};
use crate::program::UNREAD;

/// What is wrong, where something is not so.
macro_rules! ensure {
    ($is:expr, $($wrong:tt)+) => {
        if !$is {
            return Err(format!($($wrong)+));
        }
    };
}

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
#[derive(Clone, Copy)]
pub struct Passing<'a> {
    pub items: &'a [Item],
    /// How many its client had surely taken when it was asked for, and how many had been published when it had begun.
    pub began: (usize, usize),
    /// How many connections its client had had then.
    pub connections: u64,
    /// How often it may have been interrupted besides, by the server's will.
    pub interrupted: u64,
    /// Its program did not always read.
    pub unread: bool,
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
    /// What is missing here its program has not read, or its client not taken: so it was told then.
    not_read: Option<Instant>,
    gaps: u64,
    let_go: u64,
    /// Nothing has come since it began, or began anew: what was published while that took its time, which is all before here, came
    /// at once.
    begins: usize,
    /// The next is a snapshot.
    snapshot: bool,
}

impl Log {
    /// Holds what a subscription gave against what was published. Gives how many were let go of without a word, or what is wrong.
    pub fn check_passing(&self, passing: &Passing<'_>) -> Result<u64, String> {
        let (earliest, latest) = passing.began;
        let first = passing
            .items
            .iter()
            .find_map(|item| self.places(item, earliest).next());
        let mut walk = Walk {
            covered: first.unwrap_or(latest).clamp(earliest, latest),
            last: earliest,
            gap: false,
            missed: None,
            not_read: None,
            gaps: 0,
            let_go: 0,
            begins: latest,
            snapshot: passing.snapshots,
        };
        for (index, item) in passing.items.iter().enumerate() {
            match &item.given {
                Given::Gap(gap) => {
                    let counted = (gap.cause == GapCause::NotRead).then_some(gap.missed).flatten();
                    walk.missed = counted.filter(|_| !walk.gap);
                    // As much as waits for a program may have come at once, when a connection was back.
                    let before = passing.items[..index].iter().rev();
                    let at_once = before.take_while(|before| before.at == item.at).count();
                    walk.not_read = walk.missed.filter(|_| at_once < UNREAD).map(|_| item.at);
                    walk.gap = true;
                    if gap.cause == GapCause::NoHistory {
                        walk.gaps += 1;
                        walk.begins = self.passed_by.partition_point(|entry| entry.came <= item.at);
                        walk.snapshot = passing.snapshots;
                        let lost = item.connections - passing.connections + passing.interrupted;
                        ensure!(walk.gaps <= lost, "a gap though nothing was lost: {gap:?}");
                    } else {
                        // The snapshot may be what was not read.
                        walk.snapshot = false;
                    }
                }
                Given::Snapshot(tally, position) => {
                    ensure!(walk.snapshot, "a snapshot in between");
                    ensure!(position.is_none(), "a snapshot at {position:?} of no history");
                    let count = self.passed_at(*tally)?;
                    // What it does not have comes behind it, also what was published before it was answered.
                    walk.covered = count.max(walk.last);
                    (walk.snapshot, walk.gap, walk.missed) = (false, false, None);
                    walk.not_read = None;
                }
                Given::Event(what, position) => {
                    ensure!(!walk.snapshot, "{what:?} came before the snapshot");
                    ensure!(position.is_none(), "{what:?} at {position:?} of no history");
                    let place = self.place(&passing.items[index..], &walk, passing.ids);
                    let place = place.ok_or_else(|| {
                        let behind: Vec<_> = self.passed_by.iter().map(|entry| &entry.what).collect();
                        format!(
                            "{what:?} is out of order, or doubled: {behind:?}, from {}",
                            walk.last
                        )
                    })?;
                    let entry = &self.passed_by[place];
                    let by: Vec<_> = item.by.iter().cloned().collect();
                    ensure!(entry.is_for(&by), "{what:?} is not for its reader");
                    self.pass(&mut walk, place, passing, false)?;
                    (walk.covered, walk.last) = (walk.covered.max(place + 1), place + 1);
                    walk.begins = 0;
                }
            }
        }
        if passing.to_end {
            self.pass(&mut walk, self.passed_by.len(), passing, true)?;
        }
        Ok(walk.let_go)
    }

    /// Where the first of these is, an event that was given next.
    fn place(&self, items: &[Item], walk: &Walk, ids: &[String]) -> Option<usize> {
        let item = &items[0];
        let all: Vec<usize> = self.places(item, walk.last).collect();
        let first = *all.first()?;
        // Published twice, it may be the second: where it is told how many are missing, that says which.
        let is_told = |place: &usize| walk.missed == Some(self.missing(walk, *place, ids).len() as u64);
        let told = all.iter().copied().find(is_told);
        let is_same = |other: &Item| other.id == item.id && other.given == item.given;
        let last = || {
            // Where anything may be missing, it is the last that leaves room for what was given behind it.
            let same = items.iter().take_while(|other| is_same(other)).count();
            let next = items
                .iter()
                .skip(same)
                .find(|next| matches!(next.given, Given::Event(..)));
            let before = next.and_then(|next| self.places(next, first + 1).next());
            let count = all.partition_point(|place| before.is_none_or(|before| *place < before));
            all.get(count.checked_sub(same)?).copied()
        };
        told.or_else(|| last().filter(|_| walk.gap && walk.missed.is_none()))
            .or(Some(first))
    }

    /// Where an event may be, from a place on. A key is no use where there is no history: what is published again comes again.
    fn places(&self, item: &Item, from: usize) -> impl Iterator<Item = usize> {
        let behind = self.passed_by.iter().enumerate().skip(from);
        let is_it =
            |entry: &Entry| entry.id == item.id && item.given == Given::Event(entry.what.clone(), None);
        behind.filter_map(move |(place, entry)| is_it(entry).then_some(place))
    }

    /// What was for a client, and not given to it.
    fn missing(&self, walk: &Walk, to: usize, ids: &[String]) -> Vec<usize> {
        (walk.covered.min(to)..to)
            .filter(|&place| self.passed_by[place].is_for(ids))
            .collect()
    }

    /// How many came at a moment.
    fn came_at(&self, at: Instant) -> usize {
        let from = self.passed_before(at);
        self.passed_by[from..]
            .iter()
            .take_while(|entry| entry.came == at)
            .count()
    }

    fn passed_at(&self, tally: Tally) -> Result<usize, String> {
        let count = tally.count as usize;
        let has_been = count <= self.passed_by() && self.tally_of_passed(count) == tally;
        ensure!(has_been, "a state that never was: {tally:?}");
        Ok(count)
    }

    /// Passes what was not given.
    fn pass(&self, walk: &mut Walk, to: usize, passing: &Passing<'_>, is_end: bool) -> Result<(), String> {
        let missing = self.missing(walk, to, passing.ids);
        if let Some(missed) = walk.missed.take()
            && passing.losing == Losing::Nothing
        {
            ensure!(
                missing.len() as u64 == missed,
                "it is told of another number, {missed}: {missing:?}"
            );
        }
        if let Some(told) = walk.not_read.take()
            && !passing.unread
        {
            // Some of it had waited, or it was more at once than waits for a program.
            let is_slow = |&place: &usize| {
                let came = self.passed_by[place].came;
                came < told || (passing.slow_at)(came) || self.came_at(came) > UNREAD
            };
            ensure!(
                missing.is_empty() || missing.iter().any(is_slow),
                "it is told at {told:?} that it was slow, and was not: {:?}",
                missing
                    .iter()
                    .map(|&place| (place, &self.passed_by[place]))
                    .collect::<Vec<_>>()
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
                let is_slow = place < walk.begins && !is_end || (passing.slow_at)(entry.came);
                let may_be = match passing.losing {
                    Losing::Nothing => false,
                    Losing::Oldest => is_slow,
                    Losing::Replaced => {
                        let next = self.passed_by.get(place + 1);
                        let at_once = |next: &Entry| next.came == entry.came;
                        // The latest waits for it, whatever came before.
                        !(is_end && next.is_none()) && (is_slow || next.is_some_and(at_once))
                    }
                };
                ensure!(may_be, "{:?} is missing at {place}", entry.what);
                walk.let_go += 1;
            }
        }
        Ok(())
    }
}
