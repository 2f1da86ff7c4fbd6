//! Handles, looked up once: a series appears when it first counts, and is found by its place from then on.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, with_recorder};

/// What recorders are told about where a metric comes from.
const METADATA: Metadata<'static> = Metadata::new("rpc_runtime", Level::INFO, Some(module_path!()));

pub(super) fn counter(recorder: &dyn Recorder, name: &'static str, labels: Vec<Label>) -> Counter {
    recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
}

pub(super) fn gauge(recorder: &dyn Recorder, name: &'static str, labels: Vec<Label>) -> Gauge {
    recorder.register_gauge(&Key::from_parts(name, labels), &METADATA)
}

pub(super) fn histogram(recorder: &dyn Recorder, name: &'static str, labels: Vec<Label>) -> Histogram {
    recorder.register_histogram(&Key::from_parts(name, labels), &METADATA)
}

/// A counter that is looked up when it first counts: what never happens makes no series.
#[derive(Default)]
pub(super) struct LazyCounter(OnceLock<Counter>);

impl LazyCounter {
    #[inline]
    pub(super) fn add(&self, count: u64, name: &'static str, labels: impl FnOnce() -> Vec<Label>) {
        self.0
            .get_or_init(|| with_recorder(|recorder| counter(recorder, name, labels())))
            .increment(count);
    }
}
