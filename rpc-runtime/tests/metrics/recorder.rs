//! A recorder of this thread's own, and what it has recorded so far.

use std::{cell::RefCell, collections::BTreeMap};

use metrics::LocalRecorderGuard;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// What was recorded on this thread since it was made. The servers of a test run on its thread.
pub struct Recorded {
    snapshotter: Snapshotter,
    /// A snapshot takes what it shows: it is kept here.
    values: RefCell<BTreeMap<String, f64>>,
    samples: RefCell<BTreeMap<String, Vec<f64>>>,
    _local: LocalRecorderGuard<'static>,
}

impl Recorded {
    pub fn new() -> Self {
        let recorder: &'static DebuggingRecorder = Box::leak(Box::default());
        Self {
            snapshotter: recorder.snapshotter(),
            values: RefCell::default(),
            samples: RefCell::default(),
            _local: metrics::set_default_local_recorder(recorder),
        }
    }

    fn take(&self) {
        for (key, _, _, value) in self.snapshotter.snapshot().into_vec() {
            let labels: Vec<_> = key
                .key()
                .labels()
                .map(|label| format!("{}={}", label.key(), label.value()))
                .collect();
            let series = match labels.is_empty() {
                true => key.key().name().to_owned(),
                false => format!("{} {}", key.key().name(), labels.join(" ")),
            };
            let mut values = self.values.borrow_mut();
            match value {
                DebugValue::Counter(count) => *values.entry(series).or_default() += count as f64,
                DebugValue::Gauge(change) => *values.entry(series).or_default() += change.into_inner(),
                DebugValue::Histogram(samples) => self
                    .samples
                    .borrow_mut()
                    .entry(series)
                    .or_default()
                    .extend(samples.iter().map(|sample| sample.into_inner())),
            }
        }
    }

    /// What a counter or a gauge stands at, named as `name label=value …`; 0 where there is none.
    pub fn value(&self, series: &str) -> f64 {
        self.take();
        self.values.borrow().get(series).copied().unwrap_or_default()
    }

    /// All that a histogram has recorded.
    pub fn samples(&self, series: &str) -> Vec<f64> {
        self.take();
        self.samples.borrow().get(series).cloned().unwrap_or_default()
    }

    /// All counters and gauges of a name that are not 0, without it.
    pub fn all(&self, name: &str) -> Vec<(String, f64)> {
        self.take();
        self.values
            .borrow()
            .iter()
            .filter(|(_, value)| **value != 0.0)
            .filter_map(|(series, value)| {
                let (candidate, labels) = series.split_once(' ').unwrap_or((series, ""));
                (candidate == name).then(|| (labels.to_owned(), *value))
            })
            .collect()
    }

    /// Every series that there is, of whatever value.
    pub fn series(&self) -> Vec<String> {
        self.take();
        let (values, samples) = (self.values.borrow(), self.samples.borrow());
        values.keys().chain(samples.keys()).cloned().collect()
    }
}
