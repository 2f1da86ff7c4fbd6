//! Counting how often something happened of late.

use std::time::{Duration, Instant};

use crate::limits::COUNTING_SPAN;

/// One bucket for each second of the span.
const SECONDS: u64 = COUNTING_SPAN.as_secs();

/// The bucket of a second: below ten, whatever the second.
const fn bucket(second: u64) -> usize {
    (second % SECONDS) as usize
}

/// How often something happened in the last ten seconds, in steps of one second.
///
/// A ring of counts, one for each second, instead of a list of times: its size does not depend on what a peer does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counter {
    buckets: [u32; bucket(SECONDS - 1) + 1],
    /// The second, since the connection began, of the newest bucket. Never decreases.
    second: u64,
    /// The sum of the buckets.
    total: u32,
}

impl Counter {
    /// Counts one more and gives the new total.
    #[inline]
    pub(crate) fn add(&mut self, second: u64) -> u32 {
        self.advance(second);
        let count = &mut self.buckets[bucket(self.second)];
        *count = count.saturating_add(1);
        self.total = self.total.saturating_add(1);
        self.total
    }

    pub(crate) fn total(&mut self, second: u64) -> u32 {
        self.advance(second);
        self.total
    }

    #[inline]
    fn advance(&mut self, second: u64) {
        if second > self.second {
            self.forget(second);
        }
    }

    #[cold]
    fn forget(&mut self, second: u64) {
        let passed = (second - self.second).min(SECONDS);
        for step in 1..=passed {
            self.buckets[bucket(self.second + step)] = 0;
        }
        // A jump over the whole ring empties every bucket, wherever the new one lies.
        self.second = second;
        self.total = self
            .buckets
            .iter()
            .fold(0, |total, count| total.saturating_add(*count));
    }
}

/// The connection's seconds: whole seconds since it began, by the `now` of the caller.
///
/// Asked for every message, mostly several times within one second, so the second that it is in is remembered.
#[derive(Clone, Debug)]
pub(crate) struct Seconds {
    began: Instant,
    second: u64,
    /// When `second` is over.
    until: Instant,
}

impl Seconds {
    pub(crate) const fn new(began: Instant) -> Self {
        Self {
            began,
            second: 0,
            until: began,
        }
    }

    #[inline]
    pub(crate) fn at(&mut self, now: Instant) -> u64 {
        if now >= self.until {
            self.advance(now);
        }
        self.second
    }

    #[cold]
    fn advance(&mut self, now: Instant) {
        self.second = now.saturating_duration_since(self.began).as_secs();
        // A time that the clock cannot hold is never reached; until then the second is worked out each time.
        self.until = self
            .began
            .checked_add(Duration::from_secs(self.second + 1))
            .unwrap_or(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Counter;

    proptest! {
        #[test]
        fn the_counter_counts_the_last_ten_seconds(steps in proptest::collection::vec(0..14_u64, 0..100)) {
            let mut counter = Counter::default();
            let mut seconds = Vec::new();
            let mut now = 0;
            for step in steps {
                // Mostly small steps, and some over the whole ring.
                now += if step < 9 { step % 3 } else { step };
                seconds.push(now);
                let of_late = seconds.iter().filter(|second| **second + 10 > now).count();
                prop_assert_eq!(counter.add(now) as usize, of_late);
                prop_assert_eq!(counter.total(now) as usize, of_late);
            }
        }
    }
}
