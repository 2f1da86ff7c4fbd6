//! The wire's promise: what a change of the contracts would break for a peer that is already out there.
//!
//! Owns the comparison of two descriptor sets, before and after, and the sentences that explain each break. It is a
//! pure function: it knows no files, no Rust source and no git; whoever calls it compiles the committed `.proto` and
//! the emitted one, and attaches what comes back to the contract's fields.
//!
//! The rules and their names are those of `buf breaking` (categories `WIRE_JSON` and `WIRE`, and the deletion rules of
//! `PACKAGE`); `tests/breaking` at the root of the repository holds the verdicts of buf that this module is compared
//! with, and the list of the differences. proto2 and proto3 are understood, editions are not.

mod element;
mod enums;
mod field;
mod field_help;
mod index;
mod message;
mod package;
mod removed;
mod reserved;
mod rule;
mod service;
mod shift;
mod types;
mod violation;

use std::collections::BTreeSet;

use prost_types::FileDescriptorSet;

pub use element::Element;
pub use removed::removed_names;
pub use rule::Rule;
pub use violation::{Severity, Violation};

use index::Index;

/// What the comparison has to be told because a descriptor set cannot say it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Full names declared gone after the change (`task.Task`, `task.TaskService/AddTask`): their deletion is accepted.
    /// Protobuf can reserve numbers and names inside a message, but not messages, enums, services or methods.
    pub removed: BTreeSet<String>,
    /// Full names that were declared gone before the change. A declaration must stay: dropping it would let a later
    /// change give the name another meaning.
    pub removed_before: BTreeSet<String>,
    /// Full names of the contract enums that refuse numbers they do not know. A value added to one of these is a
    /// [`Severity::Warning`]: readers built before the change will not decode it.
    pub closed_enums: BTreeSet<String>,
}

/// Every way in which `after` breaks a peer that was built from `before`, ordered by element.
///
/// Files below `google/protobuf/` and `buf/validate/` are read for the types in them, and never compared: they are not
/// the user's to change. An addition is compatible and yields nothing, except in a closed enum.
///
/// ```
/// use prost_types::FileDescriptorSet;
/// use rpc_build::breaking::{compare, Options};
///
/// let committed = FileDescriptorSet::default();
/// let emitted = FileDescriptorSet::default();
/// assert!(compare(&committed, &emitted, &Options::default()).is_empty());
/// ```
#[must_use]
pub fn compare(before: &FileDescriptorSet, after: &FileDescriptorSet, options: &Options) -> Vec<Violation> {
    let before = Index::new(before);
    let after = Index::new(after);
    let mut comparison = Comparison {
        before: &before,
        after: &after,
        options,
        violations: Vec::new(),
    };
    package::check_packages(&mut comparison);
    message::check_messages(&mut comparison);
    field::check_extensions(&mut comparison);
    enums::check_enums(&mut comparison);
    service::check_services(&mut comparison);
    removed::check_removed(&mut comparison);
    let mut violations = comparison.violations;
    violations.sort_by(|left, right| (&left.element, &left.rules).cmp(&(&right.element, &right.rules)));
    violations
}

/// The two sides of one comparison, and what was found so far.
struct Comparison<'a> {
    before: &'a Index<'a>,
    after: &'a Index<'a>,
    options: &'a Options,
    violations: Vec<Violation>,
}

impl Comparison<'_> {
    /// Records a break. `anchor` is the nearest element that still exists.
    fn breaking(
        &mut self,
        rules: Vec<Rule>,
        element: Element,
        anchor: Option<Element>,
        problem: String,
        help: String,
    ) {
        self.violations.push(Violation {
            severity: Severity::Breaking,
            rules,
            element,
            anchor,
            problem,
            help,
        });
    }

    /// Whether `name`, or an element that encloses it, was declared gone.
    fn is_removed(&self, name: &str) -> bool {
        let encloses = |end: usize| self.options.removed.contains(&name[..end]);
        encloses(name.len()) || name.match_indices(['.', '/']).any(|(end, _)| encloses(end))
    }
}
