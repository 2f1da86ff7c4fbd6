//! What a session takes while it catches up with channels: what comes meanwhile and is kept for it, and what it is given of history.
//!
//! It may catch up with many channels at once, and all of them have one account. Nobody is told less because that is full: whoever does
//! not fit waits for its turn, in which it has a bound of its own, and reads again what it had let go of.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::{Position, Queued};

/// What a place in a list takes beside the event that it is for.
const PLACE: usize = 64;

/// How many histories are read at once for calls of one session: of each, a page is there until it is known whether it fits.
const READ_AT_ONCE: usize = 16;

/// What all answers of one session that are being made may hold, in bytes, beside one that is made in its turn: as much as one may.
const MOST_RECOVERED: usize = super::LONGEST_ANSWER;

/// What a session takes while it catches up. There is one while it does.
#[derive(Debug)]
pub(crate) struct CatchUps {
    /// What channels keep for it, in bytes, but for one that is caught up with alone.
    kept: AtomicUsize,
    /// Held while a channel is caught up with alone, by a call whose turn it is.
    pub(super) alone: Mutex<()>,
    /// What its answers hold, in bytes, but for one that is made in its turn.
    recovered: AtomicUsize,
    /// Held by the call whose turn it is.
    pub(super) turn: Arc<Mutex<()>>,
    reading: Semaphore,
}

impl CatchUps {
    pub(super) fn new() -> Self {
        Self {
            kept: AtomicUsize::new(0),
            alone: Mutex::default(),
            recovered: AtomicUsize::new(0),
            turn: Arc::default(),
            reading: Semaphore::new(READ_AT_ONCE),
        }
    }

    /// Ready when a history may be read, until what is given is dropped.
    pub(super) async fn may_read(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.reading.acquire().await.ok()
    }

    /// Takes room for what an answer is to hold, where there is so much.
    pub(super) fn recover(&self, bytes: usize) -> bool {
        let more = |held: usize| Some(held + bytes).filter(|held| *held <= MOST_RECOVERED);
        self.recovered
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// Gives that room back.
    pub(super) fn has_recovered(&self, bytes: usize) {
        self.recovered.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What came while a subscriber catches up with a channel.
#[derive(Debug)]
pub(super) struct Kept {
    /// What it is on. `None`: it has a bound of its own.
    account: Option<Arc<CatchUps>>,
    /// Positions, and events, which all subscribers share.
    events: Vec<(Position, Queued)>,
    bytes: usize,
    /// There was no room for all.
    overrun: bool,
}

impl Kept {
    /// Keeps what comes from now on: on the session's account, or alone.
    pub(super) fn new(account: Option<Arc<CatchUps>>) -> Self {
        Self {
            account,
            events: Vec::new(),
            bytes: 0,
            overrun: false,
        }
    }

    /// Keeps an event, where what is kept is no more than `most` with it.
    pub(super) fn keep(&mut self, position: Position, event: &Queued, most: usize) {
        if self.overrun {
            return;
        }
        let size = event.message().len() + PLACE;
        self.bytes += size;
        let all = match &self.account {
            None => self.bytes,
            Some(account) => account.kept.fetch_add(size, Ordering::Relaxed) + size,
        };
        if all > most {
            self.overrun();
        } else {
            self.events.push((position, event.clone()));
        }
    }

    /// Lets go of everything, and keeps nothing any more.
    pub(super) fn overrun(&mut self) {
        self.overrun = true;
        drop(self.take_events());
    }

    /// Begins anew, alone.
    pub(super) fn anew(&mut self) {
        drop(self.take_events());
        (self.account, self.overrun) = (None, false);
    }

    /// Gives all that came, unless there was no room for it.
    pub(super) fn take(&mut self) -> Option<Vec<(Position, Queued)>> {
        (!self.overrun).then(|| self.take_events())
    }

    fn take_events(&mut self) -> Vec<(Position, Queued)> {
        let bytes = std::mem::take(&mut self.bytes);
        if let Some(account) = &self.account {
            account.kept.fetch_sub(bytes, Ordering::Relaxed);
        }
        std::mem::take(&mut self.events)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.take_events());
    }
}

/// Those of events that came one after the other which are after a position. Epochs follow each other in no order that could be
/// seen: what came before the position's epoch is over, what came after it is not. `None` where only other epochs came.
pub(super) fn after(
    mut events: Vec<(Position, Queued)>,
    position: Position,
) -> Option<Vec<(Position, Queued)>> {
    let is_of_epoch = |(at, _): &(Position, Queued)| at.epoch == position.epoch;
    match events.iter().position(is_of_epoch) {
        Some(first) => drop(events.drain(..first)),
        None if events.is_empty() => return Some(events),
        None => return None,
    }
    events.retain(|(at, _)| at.epoch != position.epoch || at.offset > position.offset);
    Some(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(kept: &mut Kept, most: usize) {
        let event = Queued::new(vec![0; 36].into(), 1);
        kept.keep(Position::default(), &event, most);
    }

    #[test]
    fn channels_of_one_session_keep_together_what_one_may_and_one_that_is_alone_as_much_again() {
        let account = Arc::new(CatchUps::new());
        let mut channels = [(); 4].map(|()| Kept::new(Some(account.clone())));
        for kept in &mut channels[..3] {
            keep(kept, 300);
        }
        assert_eq!(account.kept.load(Ordering::Relaxed), 300);
        keep(&mut channels[3], 300);
        assert!(channels[3].take().is_none(), "there is no room for it");
        assert_eq!(account.kept.load(Ordering::Relaxed), 300, "it has none of it");
        channels[3].anew();
        for _ in 0..3 {
            keep(&mut channels[3], 300);
        }
        assert_eq!(account.kept.load(Ordering::Relaxed), 300);
        assert_eq!(channels[3].take().expect("has room").len(), 3);
        let mut other = Kept::new(None);
        for _ in 0..3 {
            keep(&mut other, 300);
        }
        assert_eq!(account.kept.load(Ordering::Relaxed), 300);
        assert_eq!(other.take().expect("has room").len(), 3);
        keep(&mut channels[0], 300);
        assert!(channels[0].take().is_none(), "what one lost is not told as all");
        assert_eq!(channels[1].take().expect("has room").len(), 1);
        assert_eq!(account.kept.load(Ordering::Relaxed), 100);
        drop((channels, other));
        assert_eq!(account.kept.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_came_meanwhile_goes_on_behind_the_position_in_its_epoch_and_in_those_after_it() {
        let kept = |positions: &[(u64, u64)]| {
            let at = positions
                .iter()
                .map(|&(epoch, offset)| Position { epoch, offset });
            at.map(|at| (at, Queued::new(bytes::Bytes::new(), 1)))
                .collect::<Vec<_>>()
        };
        let behind = |positions: &[(u64, u64)], epoch, offset| {
            let rest = after(kept(positions), Position { epoch, offset })?;
            Some(
                rest.iter()
                    .map(|(at, _)| (at.epoch, at.offset))
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(behind(&[], 1, 5), Some(vec![]));
        assert_eq!(behind(&[(1, 4), (1, 5), (1, 6)], 1, 5), Some(vec![(1, 6)]));
        assert_eq!(behind(&[(1, 4), (1, 5)], 1, 5), Some(vec![]));
        // A new epoch begins behind what is known: its offsets are small, and all of it is new.
        assert_eq!(
            behind(&[(1, 5), (2, 1), (2, 2)], 1, 5),
            Some(vec![(2, 1), (2, 2)])
        );
        // The position is of the new one: what came of the old one is over, however far it was.
        assert_eq!(
            behind(&[(1, 8), (1, 9), (2, 1), (2, 2)], 2, 1),
            Some(vec![(2, 2)])
        );
        // Whether these come before or after it cannot be seen.
        assert_eq!(behind(&[(2, 1)], 1, 5), None);
    }
}
