//! What was done so far, and what went wrong.

use crate::acts::{Act, Failure};
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

/// So many failures are told in full.
const TOLD: u64 = 20;

/// Counts of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    over: AtomicBool,
    visits: AtomicU64,
    acts: [AtomicU64; Act::ALL.len()],
    failures: AtomicU64,
    first_failures: Mutex<Vec<String>>,
}

impl Tally {
    /// Whether visitors are to stop coming.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Lets visitors stop coming.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Counts one visit.
    pub(crate) fn visited(&self, outcome: Result<(), Failure>) {
        self.visits.fetch_add(1, Ordering::Relaxed);
        let Err(Failure(text)) = outcome else {
            return;
        };
        if self.failures.fetch_add(1, Ordering::Relaxed) < TOLD {
            let mut first = self.first_failures.lock().unwrap_or_else(PoisonError::into_inner);
            first.push(text);
        }
    }

    /// Counts one act, whatever came of it.
    pub(crate) fn acted(&self, act: Act) {
        self.acts[act as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many visits there were.
    pub(crate) fn visits(&self) -> u64 {
        self.visits.load(Ordering::Relaxed)
    }

    /// How often each thing was done.
    pub(crate) fn acts(&self) -> impl Iterator<Item = (Act, u64)> {
        Act::ALL
            .into_iter()
            .map(|act| (act, self.acts[act as usize].load(Ordering::Relaxed)))
    }

    /// How many visits failed, and the first failures.
    pub(crate) fn failures(&self) -> (u64, Vec<String>) {
        let first = self.first_failures.lock().unwrap_or_else(PoisonError::into_inner);
        (self.failures.load(Ordering::Relaxed), first.clone())
    }
}
