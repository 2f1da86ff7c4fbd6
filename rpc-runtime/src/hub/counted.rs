//! What is counted of a namespace, and of what is sent directly: since the hub was made, and as metrics where its server has them.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::metrics::NamespaceMeter;

/// What is counted of one namespace on this node. Everything is a few additions; nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    published: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
    recovered: AtomicU64,
    not_recovered: AtomicU64,
    subscriptions: AtomicUsize,
    meter: OnceLock<NamespaceMeter>,
}

/// The same, at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) published: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    pub(crate) recovered: u64,
    pub(crate) not_recovered: u64,
    pub(crate) subscriptions: usize,
}

impl Counted {
    /// Records in a meter as well from now on.
    pub(crate) fn record(&self, meter: NamespaceMeter) {
        // A hub has one server, which says so once.
        let _ = self.meter.set(meter);
    }

    /// An event was published here.
    #[inline]
    pub(crate) fn published(&self) {
        self.published.fetch_add(1, Ordering::Relaxed);
        if let Some(meter) = self.meter.get() {
            meter.published.increment(1);
        }
    }

    /// An event was put into so many queues, and so many were dropped for it, or in its stead.
    #[inline]
    pub(crate) fn delivered(&self, delivered: usize, dropped: usize) {
        self.delivered.fetch_add(delivered as u64, Ordering::Relaxed);
        if dropped > 0 {
            self.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
        }
        if let Some(meter) = self.meter.get() {
            meter.delivered.increment(delivered as u64);
            meter.dropped.increment(dropped as u64);
        }
    }

    /// A client came back with a position.
    pub(crate) fn recovery(&self, is_whole: bool) {
        let counter = if is_whole {
            &self.recovered
        } else {
            &self.not_recovered
        };
        counter.fetch_add(1, Ordering::Relaxed);
        if let Some(meter) = self.meter.get() {
            meter.recoveries[usize::from(!is_whole)].increment(1);
        }
    }

    /// A client hears a channel.
    pub(crate) fn subscribed(&self) {
        self.subscriptions.fetch_add(1, Ordering::Relaxed);
        if let Some(meter) = self.meter.get() {
            meter.subscriptions.increment(1.0);
        }
    }

    /// It hears it no more.
    pub(crate) fn unsubscribed(&self) {
        self.subscriptions.fetch_sub(1, Ordering::Relaxed);
        if let Some(meter) = self.meter.get() {
            meter.subscriptions.decrement(1.0);
        }
    }

    /// Adds what was counted until now.
    pub(crate) fn add_to(&self, sum: &mut Counts) {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        sum.published += of(&self.published);
        sum.delivered += of(&self.delivered);
        sum.dropped += of(&self.dropped);
        sum.recovered += of(&self.recovered);
        sum.not_recovered += of(&self.not_recovered);
        sum.subscriptions += self.subscriptions.load(Ordering::Relaxed);
    }
}
