//! The sentences about a field whose declaration changed: what happened, as far as the whole message tells, and what to
//! write instead.

use std::cell::Cell;

use super::message::number_after;
use super::rule::Rule;
use super::types::Field;

/// The message around a field, which tells a field that moved from one that is new.
pub(super) struct Surroundings<'a> {
    pub(super) message: &'a str,
    before: Vec<Field<'a>>,
    after: Vec<Field<'a>>,
    /// The next number to suggest. Every suggestion takes one, so that two of them can both be followed.
    free_number: Cell<i32>,
}

impl<'a> Surroundings<'a> {
    pub(super) fn new(
        message: &'a str,
        before: Vec<Field<'a>>,
        after: Vec<Field<'a>>,
        free_number: i32,
    ) -> Self {
        Surroundings {
            message,
            before,
            after,
            free_number: Cell::new(free_number),
        }
    }

    pub(super) fn before(&self) -> &[Field<'a>] {
        &self.before
    }

    pub(super) fn after(&self) -> &[Field<'a>] {
        &self.after
    }

    pub(super) fn is_before(&self, name: &str) -> bool {
        self.before.iter().any(|field| field.name() == name)
    }

    pub(super) fn is_after(&self, name: &str) -> bool {
        self.after.iter().any(|field| field.name() == name)
    }

    /// A number that nothing has used or reserved.
    pub(super) fn free_number(&self) -> i32 {
        let number = self.free_number.get();
        self.free_number.set(number_after(number));
        number
    }
}

/// A number went from one field to another, and one of the two is elsewhere: something was inserted, deleted or
/// reordered, and what follows shifted.
pub(super) fn moved(around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) -> (String, String) {
    let (message, number) = (around.message, new.number());
    match around.before().iter().find(|field| field.name() == new.name()) {
        Some(own) => (
            format!(
                "field `{}` of `{message}` had number {} and now has {number}, which was `{}`; a client already out there \
                 would read one as the other",
                new.name(),
                own.number(),
                old.describe(message)
            ),
            shift_help(around, new.name(), own.number()),
        ),
        None => (
            format!(
                "{}; a client already out there would read one as the other",
                number_changed_hands(around, old, new)
            ),
            format!(
                "declare `{}` after the other fields, or give it a number of its own with #[field(tag = {})]",
                new.name(),
                around.free_number()
            ),
        ),
    }
}

/// How a field that shifted gets its number back: by undoing what shifted it, where that is plain.
pub(super) fn shift_help(around: &Surroundings<'_>, name: &str, number: i32) -> String {
    let gone: Vec<&Field<'_>> = around
        .before()
        .iter()
        .filter(|field| !around.is_after(field.name()))
        .collect();
    let added: Vec<&Field<'_>> = around
        .after()
        .iter()
        .filter(|field| !around.is_before(field.name()))
        .collect();
    let own_number = format!("give `{name}` its number back with #[field(tag = {number})]");
    match (gone.as_slice(), added.as_slice()) {
        ([gone], []) => format!(
            "`{name}` is gone: add `reserved({}, {name:?})` to its #[contract(…)], and the fields after it keep their numbers; or \
             {own_number}",
            gone.number(),
            name = gone.name(),
        ),
        ([], [added]) => {
            format!(
                "declare `{}` after the other fields, so that they keep their numbers; or {own_number}",
                added.name()
            )
        }
        _ => own_number,
    }
}

/// A new field took the number of one that is gone.
pub(super) fn reused(around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) -> (String, String) {
    (
        format!(
            "{}; a client already out there would read one as the other",
            number_changed_hands(around, old, new)
        ),
        format!(
            "give the new field a number of its own with #[field(tag = {})] and add `reserved({}, {:?})` to its #[contract(…)]",
            around.free_number(),
            old.number(),
            old.name()
        ),
    )
}

/// The number and the type are the same. Whether the field is, too, only its author knows.
pub(super) fn called_differently(
    around: &Surroundings<'_>,
    old: &Field<'_>,
    new: &Field<'_>,
) -> (String, String) {
    (
        format!(
            "field number {} of `{}` was called `{}` and is now `{}`; its name is what JSON and the code of clients use",
            new.number(),
            around.message,
            old.name(),
            new.name()
        ),
        format!(
            "keep the name in the `.proto` with #[field(rename = {:?})]; or, if it is another field, give it a number of \
             its own with #[field(tag = {})] and add `reserved({}, {:?})` to its #[contract(…)]",
            old.name(),
            around.free_number(),
            old.number(),
            old.name()
        ),
    )
}

/// One field, of another type or cardinality.
pub(super) fn reshaped(
    around: &Surroundings<'_>,
    rules: &[Rule],
    old: &Field<'_>,
    new: &Field<'_>,
) -> (String, String) {
    let message = around.message;
    let on_the_wire = rules.iter().any(|rule| {
        matches!(
            rule,
            Rule::FieldWireCompatibleType | Rule::FieldWireCompatibleCardinality
        )
    });
    let consequence = if on_the_wire {
        "a client already out there would misread it"
    } else {
        "the bytes may still fit, and a client that reads JSON would misread it"
    };
    (
        format!(
            "field `{}` (number {}) of `{message}` was `{}` and is now `{}`; {consequence}",
            new.name(),
            new.number(),
            old.describe_type(message),
            new.describe_type(message),
        ),
        format!(
            "keep the type; or give the field a new name and a number of its own with #[field(tag = {})], and add \
             `reserved({}, {:?})` to its #[contract(…)]",
            around.free_number(),
            old.number(),
            old.name()
        ),
    )
}

fn number_changed_hands(around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) -> String {
    let message = around.message;
    format!(
        "field number {} of `{message}` was `{}` and is now `{}`",
        new.number(),
        old.describe(message),
        new.describe(message)
    )
}
