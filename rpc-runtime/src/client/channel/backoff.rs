//! How long a client waits before it comes back.

use std::time::Duration;

use crate::random;

/// When and how often a client that lost its connection, or could not make one, tries again.
///
/// Before attempt number *n* it waits a random time between `first` and `first`·2ⁿ, at most `longest`: full jitter above a
/// floor, so that the clients of a server that restarts do not all come back at once. Without `jitter` it waits the longest
/// of these times.
///
/// ```
/// use rpc_runtime::Reconnect;
/// use std::time::Duration;
///
/// let patient = Reconnect { longest: Duration::from_secs(60), ..Reconnect::default() };
/// let never = Reconnect::never();
/// assert_eq!(never.attempts, Some(0));
/// # let _ = patient;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconnect {
    /// The shortest wait, and the scale of all. 200 ms by default.
    pub first: Duration,
    /// The longest wait, 20 s by default; where the server has asked for a wait, twice as much.
    pub longest: Duration,
    /// How often to try in a row, without success, before the client is closed for good. A connection that is lost again
    /// within 5 s is no success. `None`, the default: for ever.
    pub attempts: Option<u32>,
    /// Whether waits are random. They are by default; without, clients that lost one server storm the next together.
    pub jitter: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(20),
            attempts: None,
            jitter: true,
        }
    }
}

impl Reconnect {
    /// Not at all: the client is closed with its connection.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: Some(0),
            ..Self::default()
        }
    }

    /// How long to wait before attempt number `attempt`, counted from 1 after each success, whatever
    /// [`attempts`](Self::attempts) says. `at_least` is what the server asks for, zero where it does not: it bounds the wait
    /// below, and spreads it up to twice as long.
    ///
    /// [`Client`](crate::Client) does this itself; it is for programs that connect by other means and shall come back alike.
    #[must_use]
    pub fn wait(&self, attempt: u32, at_least: Duration) -> Duration {
        // Never without any wait, whatever the policy says: an attempt may fail at once.
        let first = self.first.max(Duration::from_millis(1));
        let longest = self.longest.max(first);
        let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
        let most = first.saturating_mul(factor).min(longest);
        let at_least = at_least.min(longest);
        let most = most.max(at_least.saturating_mul(2));
        match self.jitter {
            true => random::between(first.max(at_least), most),
            false => most,
        }
    }
}

/// A connection that has lived so long was a success, and waiting begins anew after it.
pub(super) const SUCCESS: Duration = Duration::from_secs(5);

/// The waits of one client.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Attempts since the last success.
    failed: u32,
}

impl Backoff {
    /// The last connection lived so long that the waits begin anew.
    pub(super) fn succeeded(&mut self) {
        self.failed = 0;
    }

    /// How long to wait before the next attempt; `None` when there are to be no more. `at_least` is what the server asks
    /// for; it bounds the wait below, and spreads it as well.
    pub(super) fn next(&mut self, policy: &Reconnect, at_least: Duration) -> Option<Duration> {
        if policy.attempts.is_some_and(|attempts| self.failed >= attempts) {
            return None;
        }
        self.failed = self.failed.saturating_add(1);
        Some(policy.wait(self.failed, at_least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(policy: &Reconnect, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::default();
        (0..count)
            .map_while(|_| backoff.next(policy, Duration::ZERO))
            .collect()
    }

    #[test]
    fn waits_double_up_to_the_longest_and_never_leave_their_bounds() {
        let policy = Reconnect::default();
        for _ in 0..500 {
            for (attempt, wait) in waits(&policy, 40).into_iter().enumerate() {
                let most = 200 * 2_u64.pow(u32::try_from(attempt.min(20)).unwrap() + 1);
                assert!(wait >= Duration::from_millis(200), "{wait:?}");
                assert!(wait <= Duration::from_millis(most.min(20_000)), "{wait:?}");
            }
        }
    }

    #[test]
    fn the_clients_of_a_server_that_restarts_spread_over_the_whole_span() {
        let policy = Reconnect::default();
        for attempt in [0, 3, 9] {
            let most = policy
                .longest
                .min(policy.first * 2_u32.pow(u32::try_from(attempt).unwrap() + 1));
            let span = most - policy.first;
            let mut tenths = [0; 10];
            for _ in 0..10_000 {
                let wait = waits(&policy, attempt + 1)[attempt] - policy.first;
                tenths[((wait.as_secs_f64() / span.as_secs_f64() * 10.0) as usize).min(9)] += 1;
            }
            // Each tenth expects 1,000 and strays by 30; by 200 never.
            assert!(
                tenths.iter().all(|count| (800..1_200).contains(count)),
                "{tenths:?}"
            );
        }
    }

    #[test]
    fn without_jitter_the_waits_are_the_longest_of_what_they_may_be() {
        let policy = Reconnect {
            jitter: false,
            ..Reconnect::default()
        };
        let waits = waits(&policy, 8);
        let expected = [400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000];
        assert_eq!(waits, expected.map(Duration::from_millis));
    }

    #[test]
    fn what_the_server_asks_for_is_waited_and_spread() {
        let asked = Duration::from_secs(3);
        for _ in 0..1_000 {
            let wait = Backoff::default().next(&Reconnect::default(), asked).unwrap();
            assert!((asked..=2 * asked).contains(&wait), "{wait:?}");
        }
    }

    #[test]
    fn attempts_end_where_the_policy_says_and_begin_anew_after_a_success() {
        let policy = Reconnect {
            attempts: Some(3),
            ..Reconnect::default()
        };
        assert_eq!(waits(&policy, 10).len(), 3);
        assert_eq!(waits(&Reconnect::never(), 10).len(), 0);
        let mut backoff = Backoff { failed: 3 };
        assert_eq!(backoff.next(&policy, Duration::ZERO), None);
        backoff.succeeded();
        assert!(backoff.next(&policy, Duration::ZERO).is_some());
    }

    #[test]
    fn odd_policies_neither_panic_nor_spin() {
        let odd = Reconnect {
            first: Duration::ZERO,
            longest: Duration::ZERO,
            ..Reconnect::default()
        };
        assert!(
            waits(&odd, 50)
                .iter()
                .all(|wait| *wait >= Duration::from_millis(1))
        );
        let huge = Reconnect {
            first: Duration::MAX,
            longest: Duration::MAX,
            ..Reconnect::default()
        };
        assert!(!waits(&huge, 2).is_empty());
        assert!(Backoff::default().next(&huge, Duration::MAX).is_some());
    }
}
