//! One rate, by governor's GCRA: a state is one number, the time at which all that was taken will have come back.
//!
//! The time is given by whoever asks: it is that of the connection's turn, so that asking costs no look at the clock, and a
//! paused clock of tokio's is followed. States are not looked up: whoever has a session has its states.

use std::{
    cell::Cell,
    fmt,
    hash::{Hash, Hasher},
    num::NonZeroU32,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, nanos::Nanos, state::StateStore,
};

use super::Rate;
use crate::limits::LONGEST;

thread_local! {
    /// The time at which a limiter of this thread is being asked.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

/// Nanoseconds since the rates of an endpoint were first asked.
pub(super) type Moment = u64;

/// What was taken of one rate by one session, user or address. Clones are one state.
#[derive(Clone, Default)]
pub(super) struct State(Arc<AtomicU64>);

impl State {
    /// Whether somebody else has it too.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Whether everything that was taken has come back: it is as good as a new one.
    pub(super) fn is_replenished(&self, now: Moment) -> bool {
        self.0.load(Ordering::Relaxed) <= now
    }
}

/// States are told apart by where they are.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for State {}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        ptr::hash(Arc::as_ptr(&self.0), hasher);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State")
            .field(&Duration::from_nanos(self.0.load(Ordering::Relaxed)))
            .finish()
    }
}

/// Keeps no states itself: each key is one.
#[derive(Debug)]
struct InKeys;

impl StateStore for InKeys {
    type Key = State;

    fn measure_and_replace<T, F, E>(&self, key: &State, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut before = key.0.load(Ordering::Relaxed);
        loop {
            let (decision, after) = decide((before != 0).then(|| before.into()))?;
            // The number is all there is: nothing else is ordered by it.
            match key
                .0
                .compare_exchange_weak(before, after.into(), Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(decision),
                Err(other) => before = other,
            }
        }
    }
}

/// The time that the asker has given.
#[derive(Debug)]
struct AskersClock;

impl Clock for AskersClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        NOW.get().into()
    }
}

/// Why something may not be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not before so much time has passed.
    Until(Duration),
    /// Never: it is more than may be taken at once after the longest pause.
    TooMuch,
}

/// One rate, for any number of states.
#[derive(Debug)]
pub(super) struct Limiter {
    limiter: RateLimiter<State, InKeys, AskersClock, NoOpMiddleware<Nanos>>,
    burst: u32,
}

impl Limiter {
    /// The error is what is wrong with the rate.
    pub(super) fn new(rate: Rate) -> Result<Self, &'static str> {
        let Some(burst) = NonZeroU32::new(rate.burst) else {
            return Err("has a burst of 0, which lets nothing pass: give it one above 0");
        };
        if rate.amount == 0 || rate.time.is_zero() {
            return Err("has an amount or a time of 0: give it both above 0");
        }
        let each = rate.time / rate.amount;
        let Some(quota) = Quota::with_period(each) else {
            return Err("is faster than one each nanosecond: give it a longer time, or leave it out");
        };
        if each.checked_mul(burst.get()).is_none_or(|all| all > LONGEST) {
            return Err(
                "takes more than a hundred years to come back: give it a shorter time, or a smaller burst",
            );
        }
        // The limiter begins to count now.
        NOW.set(0);
        Ok(Self {
            limiter: RateLimiter::new(quota.allow_burst(burst), InKeys, AskersClock),
            burst: burst.get(),
        })
    }

    /// The most that may be taken at once.
    pub(super) fn burst(&self) -> u32 {
        self.burst
    }

    /// Takes so much, or nothing.
    #[inline]
    pub(super) fn take(&self, state: &State, amount: usize, now: Moment) -> Result<(), Refused> {
        let Ok(amount) = u32::try_from(amount) else {
            return Err(Refused::TooMuch);
        };
        let Some(wanted) = NonZeroU32::new(amount) else {
            return Ok(());
        };
        // Asked here, because more than that would be multiplied beyond what fits.
        if amount > self.burst {
            return Err(Refused::TooMuch);
        }
        NOW.set(now);
        match self.limiter.check_key_n(state, wanted) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Refused::Until(until.wait_time_from(now.into()))),
            Err(_) => Err(Refused::TooMuch),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Moment = 1_000_000_000;

    #[test]
    fn a_burst_passes_at_once_and_then_the_rate() {
        let limiter = Limiter::new(Rate::per_second(10).burst(3)).unwrap();
        let state = State::default();
        for _ in 0..3 {
            assert_eq!(limiter.take(&state, 1, SECOND), Ok(()));
        }
        let tenth = Duration::from_millis(100);
        assert_eq!(limiter.take(&state, 1, SECOND), Err(Refused::Until(tenth)));
        assert_eq!(
            limiter.take(&state, 2, SECOND),
            Err(Refused::Until(2 * tenth)),
            "two come back after twice the time"
        );
        assert!(!state.is_replenished(SECOND));
        assert_eq!(limiter.take(&state, 1, SECOND + SECOND / 10), Ok(()));
        assert!(state.is_replenished(2 * SECOND));
    }

    #[test]
    fn what_is_more_than_the_burst_never_passes_and_takes_nothing() {
        let limiter = Limiter::new(Rate::per_second(10)).unwrap();
        let state = State::default();
        for much in [11, usize::MAX] {
            assert_eq!(limiter.take(&state, much, SECOND), Err(Refused::TooMuch));
        }
        assert_eq!(limiter.take(&state, 10, SECOND), Ok(()));
        assert_eq!(
            limiter.take(&state, 0, SECOND),
            Ok(()),
            "nothing may always be taken"
        );
    }

    #[test]
    fn rates_that_cannot_be_kept_are_told() {
        for rate in [
            Rate::per_second(0),
            Rate::per_second(1).burst(0),
            Rate::per(1, Duration::ZERO),
            Rate::per(1_001, Duration::from_micros(1)),
            Rate::per(1, Duration::MAX),
            Rate::per(1, Duration::from_secs(86_400)).burst(u32::MAX),
        ] {
            assert!(Limiter::new(rate).is_err(), "{rate:?}");
        }
        assert!(Limiter::new(Rate::per(1_000, Duration::from_micros(1))).is_ok());
    }

    proptest! {
        /// However somebody asks, no more passes than the burst and what comes back in the time.
        #[test]
        fn never_more_passes_than_the_burst_and_the_rate(
            amount in 1_u32..1_000,
            burst in 1_u32..1_000,
            asked in proptest::collection::vec((0_u64..50_000_000, 1_usize..100), 1..200),
        ) {
            let limiter = Limiter::new(Rate::per_second(amount).burst(burst)).unwrap();
            let (state, mut now, mut taken) = (State::default(), 1, 0);
            for (pause, much) in asked {
                now += pause;
                if limiter.take(&state, much, now).is_ok() {
                    taken += much as u64;
                }
                let back = now / (SECOND / u64::from(amount));
                prop_assert!(taken <= u64::from(burst) + back + 1, "{taken} by {now}");
            }
        }
    }
}
