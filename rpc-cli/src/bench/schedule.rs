//! When calls are due at a fixed rate, whatever becomes of those before them.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The thread that lets calls go looks so often whether they are still wanted.
const LOOK: Duration = Duration::from_millis(50);

/// The calls, numbered from 0, of which the first is due at the start.
pub(super) struct Schedule {
    times: Times,
    /// One for each call that is due and not made yet.
    due: Arc<Semaphore>,
    /// How many were made.
    made: Cell<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    start: Instant,
    per_second: u32,
}

impl Times {
    fn of(self, number: u64) -> Instant {
        let nanos = (u128::from(number) * 1_000_000_000).div_ceil(u128::from(self.per_second));
        self.start + Duration::from_nanos_u128(nanos)
    }

    /// How many calls are due by a time.
    fn due_by(self, time: Instant) -> u64 {
        match time.checked_duration_since(self.start) {
            Some(passed) => {
                let whole = passed.as_nanos() * u128::from(self.per_second) / 1_000_000_000;
                u64::try_from(whole).unwrap_or(u64::MAX).saturating_add(1)
            }
            None => 0,
        }
    }
}

impl Schedule {
    pub(super) fn new(start: Instant, per_second: u32) -> Self {
        Self {
            times: Times { start, per_second },
            due: Arc::new(Semaphore::new(0)),
            made: Cell::new(0),
        }
    }

    /// Who lets the calls go, each at its time.
    pub(super) fn pacer(&self) -> Pacer {
        Pacer {
            times: self.times,
            due: Arc::downgrade(&self.due),
            let_go: 0,
        }
    }

    /// Waits until the next call is due, and says since when it is. `None` where no more are wanted.
    pub(super) async fn next(&self) -> Option<Instant> {
        self.due.acquire().await.ok()?.forget();
        let number = self.made.replace(self.made.get() + 1);
        Some(self.times.of(number))
    }

    /// No more calls are wanted.
    pub(super) fn close(&self) {
        self.due.close();
    }

    /// How many were due from one time on and before another, and were not made.
    pub(super) fn not_made(&self, from: Instant, before: Instant) -> u64 {
        let due_before = |time: Instant| self.times.due_by(time - Duration::from_nanos(1));
        let made = self.made.get().max(due_before(from));
        due_before(before).saturating_sub(made)
    }
}

/// Lets calls go.
pub(super) struct Pacer {
    times: Times,
    due: Weak<Semaphore>,
    let_go: u64,
}

impl Pacer {
    /// Lets those go that are due, and says when the next one is. `None` where no more are wanted.
    fn let_go(&mut self, now: Instant) -> Option<Instant> {
        let semaphore = self.due.upgrade().filter(|due| !due.is_closed())?;
        let due = self.times.due_by(now);
        let more = usize::try_from(due - self.let_go).unwrap_or(Semaphore::MAX_PERMITS);
        // As many can wait as a semaphore has room for, which is more than are made in years.
        let room = Semaphore::MAX_PERMITS - semaphore.available_permits();
        semaphore.add_permits(more.min(room));
        self.let_go = due;
        Some(self.times.of(due))
    }

    /// Does so on a thread of its own, which ends with the schedule: tokio's timer has milliseconds, which would be seen in the
    /// latencies.
    pub(super) fn start(mut self) -> std::io::Result<()> {
        let pace = move || {
            while let Some(next) = self.let_go(Instant::now()) {
                thread::sleep(next.saturating_duration_since(Instant::now()).min(LOOK));
            }
        };
        thread::Builder::new()
            .name("pacer".to_owned())
            .spawn(pace)
            .map(drop)
    }

    /// Does so by tokio's timer, which a test can stop.
    #[cfg(test)]
    pub(super) async fn run(mut self) {
        while let Some(next) = self.let_go(Instant::now()) {
            tokio::time::sleep_until(next).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_call_is_due_at_its_time_and_none_is_forgotten() {
        for per_second in [1, 3, 7, 1_000, 999_983] {
            let start = Instant::now();
            let times = Times { start, per_second };
            assert_eq!(times.due_by(start), 1);
            for number in [1, 2, 3, 10, 999, 123_456_789] {
                let at = times.of(number);
                assert_eq!(times.due_by(at), number + 1, "{per_second} {number}");
                assert_eq!(times.due_by(at - Duration::from_nanos(1)), number, "{per_second}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_not_made_in_time_are_counted_when_no_more_are_wanted() {
        let schedule = Schedule::new(Instant::now(), 10);
        let mut pacer = schedule.pacer();
        tokio::time::advance(Duration::from_millis(450)).await;
        let next = pacer.let_go(Instant::now()).unwrap();
        assert_eq!(next, schedule.times.of(5));
        assert_eq!(schedule.next().await, Some(schedule.times.start));
        assert_eq!(schedule.next().await, Some(schedule.times.of(1)));
        schedule.close();
        let (start, now) = (schedule.times.start, Instant::now());
        for (from, before, expected) in [
            (start, now, 3),
            (start, schedule.times.of(4), 2),
            (start, start, 0),
            // Those before are not asked for, whether they were made or not.
            (schedule.times.of(3), now, 2),
            (now, now, 0),
            (now, start, 0),
        ] {
            assert_eq!(schedule.not_made(from, before), expected);
        }
        assert_eq!(schedule.next().await, None);
        assert_eq!(pacer.let_go(Instant::now()), None);
    }
}
