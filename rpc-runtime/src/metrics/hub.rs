//! The metrics of a hub, by its namespaces: there are as many series as patterns were declared, whatever channels there are.

use std::fmt;

use metrics::{Counter, Gauge, Label, with_recorder};

use super::{
    family::{counter, gauge},
    names,
};

/// What came of recoveries.
const OUTCOMES: [&str; 2] = ["recovered", "not_recovered"];

/// The handles of one namespace.
pub(crate) struct NamespaceMeter {
    pub(crate) published: Counter,
    pub(crate) delivered: Counter,
    pub(crate) dropped: Counter,
    /// Those that were whole, and those that were not.
    pub(crate) recoveries: [Counter; OUTCOMES.len()],
    pub(crate) subscriptions: Gauge,
}

impl NamespaceMeter {
    /// Records in what is the recorder now, by the namespace's pattern.
    pub(crate) fn new(pattern: &str) -> Self {
        let label = || Label::new("namespace", pattern.to_owned());
        with_recorder(|recorder| {
            let counter = |name, labels| counter(recorder, name, labels);
            Self {
                published: counter(names::HUB_PUBLISHED, vec![label()]),
                delivered: counter(names::HUB_DELIVERED, vec![label()]),
                dropped: counter(names::HUB_DROPPED, vec![label()]),
                recoveries: OUTCOMES.map(|outcome| {
                    let outcome = Label::from_static_parts("outcome", outcome);
                    counter(names::HUB_RECOVERIES, vec![label(), outcome])
                }),
                subscriptions: gauge(recorder, names::HUB_SUBSCRIPTIONS, vec![label()]),
            }
        })
    }
}

impl fmt::Debug for NamespaceMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamespaceMeter").finish_non_exhaustive()
    }
}
