//! One field that was inserted or removed, and all that its successors' numbers break: one finding, for it is one change.

use super::field_help::Surroundings;
use super::reserved::Ranges;
use super::types::Field;
use super::{Comparison, Element, Rule, Violation};
use prost_types::DescriptorProto;

/// Merges the findings from `first` on, which are those of one message, where a single field shifted its successors.
pub(super) fn merge(
    cx: &mut Comparison<'_>,
    around: &Surroundings<'_>,
    message: &DescriptorProto,
    first: usize,
) {
    let gone = without(around.before(), around.after());
    let added = without(around.after(), around.before());
    match (gone.as_slice(), added.as_slice()) {
        ([gone], []) => merge_removal(cx, around, gone, message, first),
        ([], [added]) => merge_insertion(cx, around, added, first),
        _ => {}
    }
}

fn merge_removal(
    cx: &mut Comparison<'_>,
    around: &Surroundings<'_>,
    gone: &Field<'_>,
    message: &DescriptorProto,
    first: usize,
) {
    let moved = moved(around);
    let (name, number) = (gone.name(), gone.number());
    let is_shift = moved.iter().all(|(was, is)| number < *was && is < was);
    let is_reserved = Ranges::reserved_of_message(message).contains(number)
        && message.reserved_name.iter().any(|reserved| reserved == name);
    if moved.is_empty() || !is_shift || is_reserved {
        return;
    }
    let Some(rules) = take(cx, around, first).into_iter().reduce(and) else {
        return;
    };
    let full_name = around.message;
    let (fields, pronoun) = match moved.len() {
        1 => ("1 field after it moves".to_owned(), "that one keeps its number"),
        count => (format!("{count} fields after it move"), "they keep their numbers"),
    };
    cx.breaking(
        rules.rules,
        Element::field(full_name, name, number),
        Some(Element::message(full_name)),
        format!(
            "field `{}` (number {number}) of `{full_name}` is gone, and {fields} up; a client already out there would read \
             one as the other",
            gone.describe(full_name)
        ),
        format!(
            "add `reserved({number}, {name:?})` to its #[contract(…)], so that {pronoun}, or bring the field back"
        ),
    );
}

fn merge_insertion(cx: &mut Comparison<'_>, around: &Surroundings<'_>, added: &Field<'_>, first: usize) {
    let moved = moved(around);
    let is_shift = moved.iter().all(|(was, is)| added.number() <= *was && was < is);
    let element = Element::field(around.message, added.name(), added.number());
    let is_told = cx.violations[first..]
        .iter()
        .any(|told| told.element == element && told.rules.contains(&Rule::FieldSameName));
    if moved.is_empty() || !is_shift || !is_told {
        return;
    }
    let mut told = take(cx, around, first);
    // What is said of the new field says it all.
    told.sort_by_key(|told| {
        (
            told.element != element,
            !told.rules.contains(&Rule::FieldSameName),
        )
    });
    if let Some(mut told) = told.into_iter().reduce(and) {
        told.problem.push_str(&match moved.len() {
            1 => " (and 1 field after it moves)".to_owned(),
            count => format!(" (and {count} fields after it move)"),
        });
        cx.violations.push(told);
    }
}

/// The fields of one side whose names the other does not have.
fn without<'a>(these: &[Field<'a>], others: &[Field<'a>]) -> Vec<Field<'a>> {
    let is_new = |field: &&Field<'_>| !others.iter().any(|other| other.name() == field.name());
    these.iter().filter(is_new).copied().collect()
}

/// The numbers, before and after, of the fields that have another one now.
fn moved(around: &Surroundings<'_>) -> Vec<(i32, i32)> {
    let numbers = around.before().iter().filter_map(|before| {
        let after = around
            .after()
            .iter()
            .find(|after| after.name() == before.name())?;
        Some((before.number(), after.number()))
    });
    numbers.filter(|(was, is)| was != is).collect()
}

/// Takes out the findings at fields whose number was another's: what they break, the shift broke.
fn take(cx: &mut Comparison<'_>, around: &Surroundings<'_>, first: usize) -> Vec<Violation> {
    let shifted = |violation: &Violation| match &violation.element {
        Element::Field { name, number, .. } => !around
            .before()
            .iter()
            .any(|field| field.name() == name && field.number() == *number),
        _ => false,
    };
    let (taken, kept) = cx
        .violations
        .drain(first..)
        .partition(|violation| violation.is_breaking() && shifted(violation));
    cx.violations.extend::<Vec<_>>(kept);
    taken
}

/// The first of the two, with the rules of both.
fn and(mut one: Violation, other: Violation) -> Violation {
    for rule in other.rules {
        if !one.rules.contains(&rule) {
            one.rules.push(rule);
        }
    }
    one
}
