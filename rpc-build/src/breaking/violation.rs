//! One finding of a comparison: what broke, where, and what to write instead.

use std::fmt;

use super::element::Element;
use super::rule::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// A peer out there would fail or, worse, read one thing as another.
    Breaking,
    /// Allowed, and worth a word before it is shipped.
    Warning,
}

/// One change that a peer built before it would not survive.
///
/// What a user did is one finding, even where it breaks several rules: giving a number to another field changes its
/// name, its JSON name and its type at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// How bad it is.
    pub severity: Severity,
    /// The rules that this change breaks, at least one, the most telling first.
    pub rules: Vec<Rule>,
    /// What changed. Where it still exists, names and numbers are those after the change.
    pub element: Element,
    /// The nearest element that still exists after the change, for the diagnostic to point at: `element` itself, or the
    /// message of a field that is gone. `None` where nothing is left, as for a whole message.
    pub anchor: Option<Element>,
    /// What is wrong, as one sentence without a final full stop.
    pub problem: String,
    /// What to write instead, in the words of the contract language, without a final full stop.
    pub help: String,
}

impl Violation {
    /// The most telling of the broken rules.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.rules.first().copied()
    }

    /// Whether the change must not be made, as opposed to a warning.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.severity == Severity::Breaking
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.help)
    }
}
