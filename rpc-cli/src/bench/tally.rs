//! What becomes of the calls that are measured: how many there were, how they ended, how long they took.

use std::time::Duration;

use hdrhistogram::Histogram;
use rpc_runtime::{CallError, Code};
use tokio::time::Instant;

use crate::failure::{Exit, Failure};
use crate::output;

/// What takes longer than this counts as this.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// What was measured.
pub(super) struct Tally {
    /// Of calls that succeeded, in nanoseconds.
    pub(super) latencies: Histogram<u64>,
    /// The others, by their statuses, with what was said of the first.
    pub(super) failed: Vec<Failed>,
    pub(super) begun: u64,
    pub(super) ended: u64,
    /// Calls that were due and were not made: all that may be in flight were, or this program was not quick enough.
    pub(super) not_made: u64,
    from: Instant,
    /// When the last call ended.
    last: Instant,
    /// How long was measured and how many had succeeded then, where the time ended it: those in flight then count nothing for the
    /// rate.
    in_time: Option<(Duration, u64)>,
}

pub(super) struct Failed {
    pub(super) code: Code,
    pub(super) count: u64,
    pub(super) first: Failure,
}

impl Tally {
    /// Of what is measured from a time on.
    pub(super) fn new(from: Instant) -> Result<Self, Failure> {
        let latencies = Histogram::new_with_max(nanos(LONGEST), DIGITS);
        let latencies = latencies.map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
        Ok(Self {
            latencies,
            failed: Vec::new(),
            begun: 0,
            ended: 0,
            not_made: 0,
            from,
            last: from,
            in_time: None,
        })
    }

    /// A call has ended.
    pub(super) fn end(&mut self, began: Instant, now: Instant, outcome: Result<(), CallError>) {
        self.ended += 1;
        self.last = now;
        match outcome {
            Ok(()) => self.latencies.saturating_record(nanos(now - began)),
            Err(error) => self.fail(error),
        }
    }

    /// The time is over. What ends from now on counts nothing for the rate.
    pub(super) fn time_is_over(&mut self, not_made: u64) {
        self.in_time = Some((self.from.elapsed(), self.succeeded()));
        self.not_made = not_made;
    }

    /// How many ended otherwise than they should.
    pub(super) fn failures(&self) -> u64 {
        self.failed.iter().map(|failed| failed.count).sum()
    }

    /// How many succeeded.
    pub(super) fn succeeded(&self) -> u64 {
        self.latencies.len()
    }

    /// How long was measured: until the time was over, else until the last call ended.
    pub(super) fn time(&self) -> Duration {
        let until_last = self.last.saturating_duration_since(self.from);
        self.in_time.map_or(until_last, |(time, _)| time)
    }

    /// How many calls succeeded per second.
    pub(super) fn rate(&self) -> f64 {
        let succeeded = self.in_time.map_or(self.succeeded(), |(_, succeeded)| succeeded);
        match self.time().as_secs_f64() {
            0.0 => 0.0,
            seconds => succeeded as f64 / seconds,
        }
    }

    /// How many have no answer.
    pub(super) fn unanswered(&self) -> u64 {
        self.begun - self.ended
    }

    fn fail(&mut self, error: CallError) {
        let code = error.code().unwrap_or(Code::Unknown);
        if let Some(failed) = self.failed.iter_mut().find(|failed| failed.code == code) {
            failed.count += 1;
            return;
        }
        let first = Failure::from(error);
        output::note(&format!("a call has failed, which is counted: {first}"));
        self.failed.push(Failed {
            code,
            count: 1,
            first,
        });
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
