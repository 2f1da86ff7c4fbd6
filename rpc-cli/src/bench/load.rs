//! Calls that are made one behind the other, many at a time.

use std::cell::{Cell, Ref, RefCell};

use rpc_runtime::CallError;
use tokio::time::Instant;

use super::schedule::Schedule;
use super::tally::Tally;
use crate::failure::Failure;

/// What all workers share. They run on one thread.
pub(super) struct Load {
    measured_from: Instant,
    /// So many calls are still to be measured; without, as many as come.
    left: Cell<Option<u64>>,
    /// When calls are due. Without, as soon as the one before is answered.
    schedule: Option<Schedule>,
    over: Cell<bool>,
    /// Also those that are not measured.
    in_flight: Cell<u64>,
    answers: Cell<u64>,
    tally: RefCell<Tally>,
}

impl Load {
    pub(super) fn new(
        measured_from: Instant,
        count: Option<u64>,
        schedule: Option<Schedule>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            measured_from,
            left: Cell::new(count),
            schedule,
            over: Cell::new(false),
            in_flight: Cell::new(0),
            answers: Cell::new(0),
            tally: RefCell::new(Tally::new(measured_from)?),
        })
    }

    pub(super) fn measured_from(&self) -> Instant {
        self.measured_from
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.get()
    }

    /// How many calls have ended, also of those that are not measured.
    pub(super) fn answers(&self) -> u64 {
        self.answers.get()
    }

    pub(super) fn tally(&self) -> Ref<'_, Tally> {
        self.tally.borrow()
    }

    /// What is left of it when it is over.
    pub(super) fn into_tally(self) -> Tally {
        self.tally.into_inner()
    }

    /// Makes calls until no more are wanted, or until there is no connection for them any more.
    pub(super) async fn work(&self, call: impl AsyncFn() -> Result<(), CallError>) {
        let mut now = Instant::now();
        loop {
            let began = match &self.schedule {
                None => now,
                Some(schedule) => match schedule.next().await {
                    // What is left of warming up is not made up for in the time that is measured.
                    Some(due) if due < self.measured_from && Instant::now() >= self.measured_from => continue,
                    Some(due) => due,
                    None => return,
                },
            };
            let Some(measured) = self.begin(began) else {
                return;
            };
            self.in_flight.update(|calls| calls + 1);
            let outcome = call().await;
            self.in_flight.update(|calls| calls - 1);
            self.answers.update(|calls| calls + 1);
            now = Instant::now();
            let failed = outcome.is_err();
            let lost = matches!(outcome, Err(CallError::Closed(_) | CallError::Refused(_)));
            if lost && !measured {
                // Nobody would know else why less is measured, or nothing.
                self.tally.borrow_mut().begun += 1;
            }
            if measured || lost {
                self.tally.borrow_mut().end(began, now, outcome);
            }
            if lost {
                return;
            }
            if failed {
                // Those that fail on this side do so without waiting for anything, and others have their turn.
                tokio::task::yield_now().await;
            }
        }
    }

    /// Whether the call that begins is measured. `None` where no more are wanted.
    fn begin(&self, began: Instant) -> Option<bool> {
        if self.over.get() {
            return None;
        }
        if began < self.measured_from {
            return Some(false);
        }
        match self.left.get() {
            Some(0) => return None,
            Some(left) => self.left.set(Some(left - 1)),
            None => {}
        }
        self.tally.borrow_mut().begun += 1;
        if self.left.get() == Some(0) {
            self.stop_making();
        }
        Some(true)
    }

    /// The time is over, or the whole is given up: no more calls are made, and those in flight are waited for.
    pub(super) fn time_is_over(&self, end: Instant) {
        if self.over.get() {
            return;
        }
        self.stop_making();
        let not_made = self
            .schedule
            .as_ref()
            .map(|schedule| schedule.not_made(self.measured_from, end));
        self.tally.borrow_mut().time_is_over(not_made.unwrap_or_default());
    }

    fn stop_making(&self) {
        self.over.set(true);
        if let Some(schedule) = &self.schedule {
            schedule.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use rpc_runtime::{Code, Status};
    use tokio::time::{sleep, sleep_until};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Lets workers call for four seconds.
    async fn four_seconds(
        rate: Option<u32>,
        workers: usize,
        call: impl AsyncFn() -> Result<(), CallError>,
    ) -> Tally {
        four_seconds_after(Duration::ZERO, rate, workers, call).await
    }

    /// Lets workers call for four seconds after they have done so for a time that is not measured.
    async fn four_seconds_after(
        warm_up: Duration,
        rate: Option<u32>,
        workers: usize,
        call: impl AsyncFn() -> Result<(), CallError>,
    ) -> Tally {
        let start = Instant::now();
        let schedule = rate.map(|rate| Schedule::new(start, rate));
        let pacer = schedule.as_ref().map(Schedule::pacer);
        let load = Load::new(start + warm_up, None, schedule).unwrap();
        let work = join_all((0..workers).map(|_| load.work(&call)));
        let pace = async {
            if let Some(pacer) = pacer {
                pacer.run().await;
            }
        };
        let watch = async {
            let end = start + warm_up + 4_000 * MS;
            sleep_until(end).await;
            load.time_is_over(end);
        };
        tokio::join!(work, pace, watch);
        load.into_tally()
    }

    /// A server that answers after a millisecond, but stands still for the third second.
    async fn standing_still(start: Instant) -> Result<(), CallError> {
        let passed = start.elapsed();
        match passed >= 2_000 * MS && passed < 3_000 * MS {
            true => sleep_until(start + 3_000 * MS).await,
            false => sleep(MS).await,
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_loop_sees_a_standstill_once_and_a_rate_sees_all_who_would_have_waited() {
        let start = Instant::now();
        let closed = four_seconds(None, 1, async || standing_still(start).await).await;
        let quantile = |tally: &Tally, part| Duration::from_nanos(tally.latencies.value_at_quantile(part));
        assert!(closed.succeeded() > 2_000);
        assert!(quantile(&closed, 0.999) < 3 * MS && quantile(&closed, 1.0) > 990 * MS);

        let start = Instant::now();
        let open = four_seconds(Some(100), 1, async || standing_still(start).await).await;
        assert!((400..=401).contains(&open.succeeded()), "{}", open.succeeded());
        assert!(quantile(&open, 0.5) < 3 * MS);
        // A quarter of them were due while it stood still, and have waited between nothing and a second.
        assert!(
            (550 * MS..700 * MS).contains(&quantile(&open, 0.9)),
            "{:?}",
            quantile(&open, 0.9)
        );
        assert_eq!(open.not_made, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_does_not_come_about_is_told_by_calls_that_were_not_made() {
        let slow = async || {
            sleep(100 * MS).await;
            Ok(())
        };
        let tally = four_seconds(Some(100), 2, slow).await;
        assert_eq!(tally.succeeded(), tally.begun);
        assert!((80..=82).contains(&tally.begun), "{}", tally.begun);
        assert_eq!(tally.not_made + tally.begun, 400);
        assert_eq!(tally.rate().round() as u64, 20);
    }

    #[tokio::test(start_paused = true)]
    async fn what_an_overloaded_server_owes_of_the_warm_up_takes_none_of_the_time_that_is_measured() {
        let slow = async || {
            sleep(100 * MS).await;
            Ok(())
        };
        let tally = four_seconds_after(2_000 * MS, Some(1_000), 2, slow).await;
        assert!((78..=82).contains(&tally.begun), "{}", tally.begun);
        assert_eq!(tally.not_made + tally.begun, 4_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_straggler_does_not_change_the_rate() {
        let made = Cell::new(0_u64);
        let tally = four_seconds(None, 2, async || {
            made.set(made.get() + 1);
            sleep(if made.get() == 1 { 30_000 * MS } else { 10 * MS }).await;
            Ok(())
        })
        .await;
        assert_eq!(tally.time(), 4_000 * MS);
        assert!((95.0..=101.0).contains(&tally.rate()), "{}", tally.rate());
        assert!(
            tally.latencies.max() > 29_000_000_000,
            "{}",
            tally.latencies.max()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_called_to_warm_up_is_not_measured_and_so_many_are_as_were_asked_for() {
        let made = Cell::new(0_u64);
        let load = Load::new(Instant::now() + 100 * MS, Some(50), None).unwrap();
        let call = async || {
            made.set(made.get() + 1);
            // The first are slow.
            sleep(if made.get() <= 4 { 100 * MS } else { 10 * MS }).await;
            Ok(())
        };
        join_all((0..4).map(|_| load.work(call))).await;
        assert_eq!((load.in_flight(), load.answers()), (0, made.get()));
        let tally = load.into_tally();
        assert_eq!((tally.begun, tally.succeeded(), made.get()), (50, 50, 54));
        assert!(tally.latencies.max() < 20_000_000, "{}", tally.latencies.max());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_counted_by_their_statuses_and_are_in_no_latency() {
        let made = Cell::new(0_u64);
        let load = Load::new(Instant::now(), Some(30), None).unwrap();
        load.work(async || {
            made.set(made.get() + 1);
            match made.get() % 3 {
                0 => Err(Status::not_found("none").into()),
                1 => Err(CallError::TimedOut(MS)),
                _ => {
                    sleep(5 * MS).await;
                    Ok(())
                }
            }
        })
        .await;
        let tally = load.into_tally();
        let failed: Vec<_> = tally
            .failed
            .iter()
            .map(|failed| (failed.code, failed.count))
            .collect();
        assert_eq!(failed, [(Code::DeadlineExceeded, 10), (Code::NotFound, 10)]);
        assert_eq!(
            (tally.failures(), tally.succeeded(), tally.unanswered()),
            (20, 10, 0)
        );
        assert!(tally.latencies.min() > 4_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_fail_at_once_let_others_have_their_turn() {
        let failing = async || Err(CallError::from(Status::internal("here")));
        let tally = four_seconds(None, 2, failing);
        let other = async {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = tally => panic!("the clock stands still"),
            () = other => {}
        }
    }
}
