//! When the sockets of connections that are over are closed, and their memory is freed: not all at once.
//!
//! That takes some ten microseconds for each, most of them the system's. Where a network goes and takes a hundred thousand clients
//! with it, calls of those that stay would stand behind a second of that. What a session is to others ends before, and at once.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::ServerLimits;
use crate::Rate;

/// Nobody waits longer: a crowd for which the rate is too low goes as fast as that takes.
const LONGEST: Duration = Duration::from_secs(10);

/// Gives turns at a rate (GCRA). Who waits has its turn from the beginning: there is no queue, and no lock.
#[derive(Debug)]
pub(crate) struct Partings {
    began: Instant,
    /// Nanoseconds from one to the next.
    each: u64,
    /// As much of that may be taken at once.
    at_once: u64,
    /// When everything that was given until now is used up, in nanoseconds since `began`.
    used_up: AtomicU64,
}

impl Partings {
    pub(crate) fn new(limits: &ServerLimits) -> Self {
        let each = |rate: Rate| (nanos(rate.time) / u64::from(rate.amount).max(1)).max(1);
        // Clients that come and go for ever must not leave more sockets behind than are closed.
        let each = each(limits.disconnects).min(each(limits.connects));
        Self {
            began: Instant::now(),
            each,
            at_once: each.saturating_mul(u64::from(limits.disconnects.burst)),
            used_up: AtomicU64::new(0),
        }
    }

    /// When it is the turn of one of so many sockets; `None`: now.
    pub(crate) fn turn(&self, sockets: usize, now: Instant) -> Option<Instant> {
        let longest = nanos(LONGEST);
        let each = self.each.min(longest / (sockets as u64).max(1));
        let since = nanos(now.saturating_duration_since(self.began));
        let latest = since.saturating_add(self.at_once).saturating_add(longest);
        let next = |used_up: u64| used_up.max(since).saturating_add(each).min(latest);
        let before = self
            .used_up
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used_up| {
                Some(next(used_up))
            });
        let (Ok(before) | Err(before)) = before;
        let wait = next(before).saturating_sub(since.saturating_add(self.at_once));
        (wait > 0).then(|| now + Duration::from_nanos(wait))
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partings(rate: Rate) -> Partings {
        Partings::new(&ServerLimits {
            disconnects: rate,
            connects: rate,
            ..ServerLimits::default()
        })
    }

    /// How long each of so many waits that end at once.
    fn waits(partings: &Partings, count: usize) -> Vec<Duration> {
        let now = Instant::now();
        let turns = (0..count).map(|_| partings.turn(count, now));
        turns
            .map(|turn| turn.map_or(Duration::ZERO, |turn| turn - now))
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_that_end_wait_for_nothing_and_others_have_their_turns_one_after_the_other() {
        let partings = partings(Rate::per_second(1_000).burst(100));
        let crowd = waits(&partings, 300);
        assert!(crowd[..100].iter().all(Duration::is_zero));
        for (index, wait) in crowd[100..].iter().enumerate() {
            assert_eq!(*wait, Duration::from_millis(index as u64 + 1));
        }
        tokio::time::advance(Duration::from_millis(250)).await;
        assert_eq!(waits(&partings, 51)[50], Duration::from_millis(1));
    }

    #[tokio::test(start_paused = true)]
    async fn however_many_end_at_once_none_waits_longer_than_ten_seconds_and_their_turns_are_spread() {
        for count in [100_000, 1_000_000] {
            let partings = partings(ServerLimits::default().disconnects);
            let crowd = waits(&partings, count);
            assert!(crowd.iter().all(|wait| *wait <= LONGEST));
            let mut in_each_second = [0; 11];
            for wait in crowd {
                in_each_second[wait.as_secs() as usize] += 1;
            }
            let most = in_each_second.iter().max().unwrap();
            assert!(*most <= count / 9, "{in_each_second:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_come_and_go_as_fast_as_they_may_leave_no_sockets_behind() {
        let partings = Partings::new(&ServerLimits {
            connects: Rate::per_second(20_000),
            disconnects: Rate::per_second(5_000).burst(20),
            ..ServerLimits::default()
        });
        for _ in 0..10_000 {
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(waits(&partings, 20).iter().all(Duration::is_zero));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_without_end_does_not_put_off_whoever_comes_after_it() {
        let partings = partings(Rate::per_second(1).burst(1));
        // As if each were alone: nothing is spread for its sake.
        let now = Instant::now();
        for _ in 0..1_000 {
            partings.turn(1, now);
        }
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(partings.turn(1, Instant::now()), None);
    }
}
