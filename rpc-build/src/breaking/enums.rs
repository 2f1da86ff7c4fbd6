//! Enums: the numbers and names of their values, on the wire and in JSON.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::EnumDescriptorProto;

use super::index::{In, names_by_number};
use super::removed::check_deleted;
use super::reserved::{Ranges, check_reserved_enum};
use super::violation::{Severity, Violation};
use super::{Comparison, Element, Rule};

/// Compares every enum with the one of the same full name; the file it stands in does not matter.
pub(super) fn check_enums(cx: &mut Comparison<'_>) {
    let (before, after) = (cx.before, cx.after);
    for (name, &old) in &before.enums {
        match after.enums.get(name) {
            Some(&new) => check_enum(cx, name, old, new),
            None => check_deleted(
                cx,
                Rule::PackageEnumNoDelete,
                Element::enumeration(name),
                old.file.package(),
                format!("enum `{name}` is gone; a client already out there still uses it"),
            ),
        }
    }
}

fn check_enum(
    cx: &mut Comparison<'_>,
    name: &str,
    old: In<'_, EnumDescriptorProto>,
    new: In<'_, EnumDescriptorProto>,
) {
    let old_names = names_by_number(old.it);
    let new_names = names_by_number(new.it);
    let sides = Sides {
        name,
        old: &old_names,
        new: &new_names,
    };
    for (&number, names) in &old_names {
        if let Some(now) = new_names.get(&number).filter(|now| !names.is_subset(now)) {
            check_renamed(cx, sides, number, names, now);
        }
    }
    for (&number, names) in old_names
        .iter()
        .filter(|(number, _)| !new_names.contains_key(number))
    {
        check_deleted_value(cx, sides, number, names, new.it);
    }
    if cx.options.closed_enums.contains(name) {
        warn_of_added_values(cx, sides);
    }
    if old.is_proto3() && !new.is_proto3() {
        cx.breaking(
            vec![Rule::EnumSameJsonFormat],
            Element::enumeration(name),
            Some(Element::enumeration(name)),
            format!(
                "enum `{name}` went from proto3 to proto2, which has no JSON form that all languages share"
            ),
            "keep syntax = \"proto3\"".to_owned(),
        );
    }
    check_reserved_enum(cx, name, old.it, new.it);
}

/// The names of an enum's values by number, before and after.
#[derive(Clone, Copy)]
struct Sides<'a> {
    name: &'a str,
    old: &'a BTreeMap<i32, BTreeSet<&'a str>>,
    new: &'a BTreeMap<i32, BTreeSet<&'a str>>,
}

/// The number of a value on one side.
fn number_of(side: &BTreeMap<i32, BTreeSet<&str>>, value: &str) -> Option<i32> {
    side.iter()
        .find(|(_, names)| names.contains(value))
        .map(|(number, _)| *number)
}

/// The number is there, and at least one of its names is not.
fn check_renamed(
    cx: &mut Comparison<'_>,
    sides: Sides<'_>,
    number: i32,
    old: &BTreeSet<&str>,
    new: &BTreeSet<&str>,
) {
    let name = sides.name;
    let lost: Vec<&str> = old.difference(new).copied().collect();
    let value = new.first().copied().unwrap_or_default();
    let shifted = new
        .iter()
        .find_map(|value| Some((*value, number_of(sides.old, value)?)));
    let (value, problem, help) = match shifted.filter(|(_, before)| *before != number) {
        Some((value, before)) => (
            value,
            format!(
                "value `{value}` of enum `{name}` had number {before} and now has {number}, which was {}; a client already \
                 out there would read one as the other",
                quoted(old)
            ),
            format!("give it its number back, with `= {before}` after the variant"),
        ),
        None if lost.iter().any(|lost| number_of(sides.new, lost).is_some()) => (
            value,
            format!(
                "number {number} of enum `{name}` was {} and is now {}; a client already out there would read one as the \
                 other",
                quoted(old),
                quoted(new)
            ),
            format!(
                "declare {} after the other values, or give it a number that was never used",
                quoted(new)
            ),
        ),
        None => (
            value,
            format!(
                "number {number} of enum `{name}` was called {} and is now {}; the name is what JSON and the code of \
                 clients use",
                quoted(old),
                quoted(new)
            ),
            format!(
                "keep the name {} with #[field(rename = …)]; or, if it is another value, give it a number of its own and \
                 add `reserved({number}, {})` to its #[contract(…)]",
                quoted(&lost),
                literals(&lost)
            ),
        ),
    };
    let element = Element::enum_value(name, value, number);
    cx.breaking(
        vec![Rule::EnumValueSameName],
        element.clone(),
        Some(element),
        problem,
        help,
    );
}

/// A value may go when its number and all its names can never be given to another.
fn check_deleted_value(
    cx: &mut Comparison<'_>,
    sides: Sides<'_>,
    number: i32,
    names: &BTreeSet<&str>,
    new: &EnumDescriptorProto,
) {
    let name = sides.name;
    let number_reserved = Ranges::reserved_of_enum(new).contains(number);
    let open: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !new.reserved_name.iter().any(|reserved| reserved == name))
        .collect();
    let mut rules = Vec::new();
    if !number_reserved {
        rules.push(Rule::EnumValueNoDeleteUnlessNumberReserved);
    }
    if !open.is_empty() {
        rules.push(Rule::EnumValueNoDeleteUnlessNameReserved);
    }
    if rules.is_empty() {
        return;
    }
    let value = names.first().copied().unwrap_or_default();
    let element = Element::enum_value(name, value, number);
    if let Some(moved) = number_of(sides.new, value) {
        let now = Element::enum_value(name, value, moved);
        // A value that took the number of another one was told of there.
        if let Some(told) = cx.violations.iter_mut().find(|told| told.element == now) {
            told.rules.extend(rules);
            return;
        }
        cx.breaking(
            rules,
            element,
            Some(now),
            format!(
                "value `{value}` of enum `{name}` had number {number} and now has {moved}; a client already out there \
                 sends and expects {number}"
            ),
            format!("give it its number back, with `= {number}` after the variant"),
        );
        return;
    }
    let mut missing: Vec<String> = Vec::new();
    if !number_reserved {
        missing.push(number.to_string());
    }
    if !open.is_empty() {
        missing.push(literals(&open));
    }
    cx.breaking(
        rules,
        element,
        Some(Element::enumeration(name)),
        format!(
            "value {} (number {number}) of enum `{name}` is gone and can be given out again; a client already out there \
             would read the new one as the old",
            quoted(names)
        ),
        format!("add `reserved({})` to its #[contract(…)], or bring the value back", missing.join(", ")),
    );
}

fn warn_of_added_values(cx: &mut Comparison<'_>, sides: Sides<'_>) {
    let name = sides.name;
    for (&number, names) in sides
        .new
        .iter()
        .filter(|(number, _)| !sides.old.contains_key(number))
    {
        let element = Element::enum_value(name, names.first().copied().unwrap_or_default(), number);
        cx.violations.push(Violation {
            severity: Severity::Warning,
            rules: vec![Rule::ClosedEnumValueAdded],
            element: element.clone(),
            anchor: Some(element),
            problem: format!(
                "enum `{name}` got the value {} = {number}; a client already out there refuses every message that holds it",
                quoted(names)
            ),
            help: "send it only to clients that know it; with a variant `#[field(other)] Unknown(i32)` the next addition \
                   will not need this care"
                .to_owned(),
        });
    }
}

/// `` `OPEN` `` or `` `OPEN`, `STARTED` ``, for a sentence.
fn quoted<'n>(names: impl IntoIterator<Item = &'n &'n str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// `"OPEN", "STARTED"`, for an attribute.
fn literals(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}
