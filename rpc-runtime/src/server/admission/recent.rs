//! When the addresses that connected of late may connect again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::{
    clock::{Clock, Reference},
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use tokio::time::Instant;

/// As many addresses are remembered at once. One that comes while so many others have not waited out their rate yet is let
/// in, and is held to the rate of all connections alone: with so many addresses, theirs would not stop anybody.
pub(crate) const MOST: usize = 65_536;

/// Forgetting goes through the whole table, and so is not done for less.
const WORTH_A_LOOK: usize = 64;

/// The time at which each of some keys has everything back, in nanoseconds since the rate's start.
#[derive(Debug)]
pub(super) struct Recent<K>(Mutex<HashMap<K, u64>>);

impl<K> Default for Recent<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K> Recent<K> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, u64>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for Recent<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut table = self.lock();
        let before = table.get(key).map(|before| Nanos::from(*before));
        let (outcome, after) = measure(before)?;
        if before.is_some() || table.len() < MOST {
            table.insert(key.clone(), after.as_u64());
        }
        Ok(outcome)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Recent<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut table = self.lock();
        table.retain(|_, back| *back > drop_below.as_u64());
        let (len, capacity) = (table.len(), table.capacity());
        if len < capacity / 4 {
            table.shrink_to(len * 2);
        }
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

/// tokio's clock, which a test may stop, as a time since the clock was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokioClock(Instant);

impl TokioClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

/// When the table is gone through next.
#[derive(Debug)]
pub(super) struct Tidying {
    from: usize,
    next: Duration,
}

impl Tidying {
    /// At most so often, however many come.
    const PAUSE: Duration = Duration::from_secs(1);
    /// And at least so often, as long as anybody comes.
    const LONGEST: Duration = Duration::from_secs(10);

    pub(super) fn new() -> Self {
        Self {
            from: WORTH_A_LOOK,
            next: Duration::ZERO,
        }
    }

    /// Whether it is time: there are twice as many as were left the last time, or that was long ago.
    pub(super) fn is_due(&self, len: usize, now: Duration) -> bool {
        let overdue = now.duration_since(self.next) >= (Self::LONGEST - Self::PAUSE).into();
        now >= self.next && (len >= self.from || overdue && len > 0)
    }

    /// It was done, and so many are left.
    pub(super) fn done(&mut self, len: usize, now: Duration) {
        self.from = (len * 2).max(WORTH_A_LOOK);
        self.next = now + Self::PAUSE;
    }
}
