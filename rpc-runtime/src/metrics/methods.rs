//! The metrics of methods: for each a dense array of counters by code, and a histogram.

use std::{fmt, time::Duration};

use metrics::{Histogram, Label, with_recorder};

use super::{
    family::{LazyCounter, histogram},
    names,
};
use crate::{Code, router::Router};

/// What calls of unknown methods are counted as. No method has this name: theirs have a slash.
const UNKNOWN: &str = "unknown";

/// The metrics of an endpoint's methods, by their places in its router; behind them those of unknown methods.
pub(crate) struct MethodMetrics(Box<[OfMethod]>);

struct OfMethod {
    name: &'static str,
    /// By the number of the code.
    calls: [LazyCounter; Code::ALL.len()],
    duration: Histogram,
}

impl MethodMetrics {
    /// Looks the histograms up; counters are looked up when they first count, for most codes of most methods never come.
    pub(crate) fn of(router: &Router) -> Self {
        Self(
            router
                .names()
                .chain([UNKNOWN])
                .map(|name| OfMethod {
                    name,
                    calls: Default::default(),
                    duration: with_recorder(|recorder| {
                        let labels = vec![Label::from_static_parts("method", name)];
                        histogram(recorder, names::CALL_DURATION, labels)
                    }),
                })
                .collect(),
        )
    }

    /// The place of calls whose method is not known.
    pub(super) fn unknown(&self) -> usize {
        self.0.len() - 1
    }

    #[inline]
    pub(super) fn took(&self, method: usize, time: Duration) {
        self.0[method].duration.record(time);
    }

    #[inline]
    pub(super) fn ended(&self, method: usize, code: Code, calls: u64) {
        let of_method = &self.0[method];
        of_method.calls[code as usize].add(calls, names::CALLS, || {
            vec![
                Label::from_static_parts("method", of_method.name),
                Label::from_static_parts("code", code.name()),
            ]
        });
    }
}

impl fmt::Debug for MethodMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MethodMetrics").field(&self.0.len()).finish()
    }
}
