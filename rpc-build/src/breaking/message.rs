//! Messages: those that are gone, and what is gone from those that stay.

use prost_types::DescriptorProto;
use prost_types::field_descriptor_proto::Label;

use super::field::check_field;
use super::field_help::{Surroundings, shift_help};
use super::index::In;
use super::removed::check_deleted;
use super::reserved::{Ranges, check_reserved_message};
use super::types::Field;
use super::{Comparison, Element, Rule, shift};

/// The largest field number, and the numbers that protobuf keeps for itself.
const MAX_FIELD_NUMBER: i32 = (1 << 29) - 1;
const KEPT_BY_PROTOBUF: std::ops::RangeInclusive<i32> = 19_000..=19_999;

/// Compares every message with the one of the same full name; the file it stands in does not matter.
pub(super) fn check_messages(cx: &mut Comparison<'_>) {
    let (before, after) = (cx.before, cx.after);
    for (name, &old) in &before.messages {
        match after.messages.get(name) {
            Some(&new) => check_message(cx, name, old, new),
            None => check_deleted(
                cx,
                Rule::PackageMessageNoDelete,
                Element::message(name),
                old.file.package(),
                format!("message `{name}` is gone; a client already out there still sends or expects it"),
            ),
        }
    }
}

fn check_message<'a>(
    cx: &mut Comparison<'a>,
    name: &str,
    old: In<'a, DescriptorProto>,
    new: In<'a, DescriptorProto>,
) {
    let old_fields: Vec<_> = old
        .it
        .field
        .iter()
        .map(|field| Field::resolve(cx.before, old, Some(old.it), field))
        .collect();
    let new_fields: Vec<_> = new
        .it
        .field
        .iter()
        .map(|field| Field::resolve(cx.after, new, Some(new.it), field))
        .collect();
    let around = Surroundings::new(name, old_fields, new_fields, next_free_number(&[old.it, new.it]));
    let first = cx.violations.len();
    for old_field in around.before() {
        match around
            .after()
            .iter()
            .find(|field| field.number() == old_field.number())
        {
            Some(new_field) => check_field(cx, &around, old_field, new_field),
            None => check_deleted_field(cx, &around, old_field, new),
        }
    }
    shift::merge(cx, &around, new.it, first);
    check_oneofs(cx, name, old, around.before(), new);
    check_required(cx, name, old, new);
    check_json(cx, name, old, new);
    check_reserved_message(cx, name, old.it, new.it);
}

/// A field may go when its number and its name can never be given to another.
fn check_deleted_field(
    cx: &mut Comparison<'_>,
    around: &Surroundings<'_>,
    old: &Field<'_>,
    message: In<'_, DescriptorProto>,
) {
    let (name, number) = (old.name(), old.number());
    let number_reserved = Ranges::reserved_of_message(message.it).contains(number);
    let name_reserved = message.it.reserved_name.iter().any(|reserved| reserved == name);
    let mut rules = Vec::new();
    if !number_reserved {
        rules.push(Rule::FieldNoDeleteUnlessNumberReserved);
    }
    if !name_reserved {
        rules.push(Rule::FieldNoDeleteUnlessNameReserved);
    }
    if rules.is_empty() {
        return;
    }
    let full_name = around.message;
    if let Some(moved) = around.after().iter().find(|field| field.name() == name) {
        let now = Element::field(full_name, name, moved.number());
        if let Some(told) = cx.violations.iter_mut().find(|told| told.element == now) {
            told.rules.extend(rules);
            return;
        }
        cx.breaking(
            rules,
            Element::field(full_name, name, number),
            Some(now),
            format!(
                "field `{name}` of `{full_name}` had number {number} and now has {}; a client already out there looks \
                 for it at {number}",
                moved.number()
            ),
            shift_help(around, name, number),
        );
        return;
    }
    let (problem, missing) = match (number_reserved, name_reserved) {
        (false, false) => (
            "neither its number nor its name is reserved",
            format!("{number}, {name:?}"),
        ),
        (false, true) => ("its number is not reserved", number.to_string()),
        (true, _) => ("its name is not reserved", format!("{name:?}")),
    };
    cx.breaking(
        rules,
        Element::field(full_name, name, number),
        Some(Element::message(full_name)),
        format!(
            "field `{}` (number {number}) of `{full_name}` is gone and {problem}; a later field could take its place and \
             be read by a client as the old one",
            old.describe(full_name)
        ),
        format!("add `reserved({missing})` to its #[contract(…)], or bring the field back"),
    );
}

/// A oneof that is gone with all its fields. One whose fields are left is told of at the fields.
fn check_oneofs(
    cx: &mut Comparison<'_>,
    name: &str,
    old: In<'_, DescriptorProto>,
    old_fields: &[Field<'_>],
    new: In<'_, DescriptorProto>,
) {
    for oneof in &old.it.oneof_decl {
        let declared = old_fields.iter().any(|field| field.oneof == Some(oneof.name()));
        let stays = new.it.oneof_decl.iter().any(|other| other.name() == oneof.name());
        if !declared || stays || cx.is_removed(&format!("{name}.{}", oneof.name())) {
            continue;
        }
        cx.breaking(
            vec![Rule::OneofNoDelete],
            Element::Oneof {
                message: name.to_owned(),
                name: oneof.name().to_owned(),
            },
            Some(Element::message(name)),
            format!(
                "oneof `{}` of `{name}` is gone; the code of clients asks for it by name",
                oneof.name()
            ),
            "bring it back, if only with one variant".to_owned(),
        );
    }
}

/// proto2: a reader refuses a message without a required field that it knows of.
fn check_required(
    cx: &mut Comparison<'_>,
    name: &str,
    old: In<'_, DescriptorProto>,
    new: In<'_, DescriptorProto>,
) {
    let only_in = |one: In<'_, DescriptorProto>, other: In<'_, DescriptorProto>| -> Vec<(String, i32)> {
        let required = |side: In<'_, DescriptorProto>, number| {
            side.it
                .field
                .iter()
                .any(|field| field.number() == number && field.label() == Label::Required)
        };
        let fields = one.it.field.iter().filter(|field| required(one, field.number()));
        fields
            .filter(|field| !required(other, field.number()))
            .map(|field| (field.name().to_owned(), field.number()))
            .collect()
    };
    let deleted = only_in(old, new)
        .into_iter()
        .map(|field| (field, "is no longer", "keep it required"));
    let added = only_in(new, old)
        .into_iter()
        .map(|field| (field, "is now", "make it optional"));
    for ((field, number), verb, help) in deleted.chain(added) {
        let element = Element::field(name, &field, number);
        let anchor = if new.it.field.iter().any(|other| other.number() == number) {
            element.clone()
        } else {
            Element::message(name)
        };
        cx.breaking(
            vec![Rule::MessageSameRequiredFields],
            element,
            Some(anchor),
            format!(
                "field `{field}` (number {number}) of `{name}` {verb} required; who requires it refuses messages of who \
                 does not send it"
            ),
            help.to_owned(),
        );
    }
}

fn check_json(
    cx: &mut Comparison<'_>,
    name: &str,
    old: In<'_, DescriptorProto>,
    new: In<'_, DescriptorProto>,
) {
    if old.is_proto3() && !new.is_proto3() {
        cx.breaking(
            vec![Rule::MessageSameJsonFormat],
            Element::message(name),
            Some(Element::message(name)),
            format!(
                "message `{name}` went from proto3 to proto2, which has no JSON form that all languages share"
            ),
            "keep syntax = \"proto3\"".to_owned(),
        );
    }
}

/// The smallest number above all that these versions of one message use, reserve or give to extensions; the gaps
/// between are left alone, for a number that was never reserved may have been used long ago.
pub(super) fn next_free_number(versions: &[&DescriptorProto]) -> i32 {
    let mut last = 0;
    for message in versions {
        let fields = message.field.iter().map(|field| field.number());
        // The ends are exclusive. A range up to the maximum leaves nothing above it to suggest.
        let reserved = message
            .reserved_range
            .iter()
            .map(|range| range.end().saturating_sub(1));
        let extensions = message
            .extension_range
            .iter()
            .map(|range| range.end().saturating_sub(1));
        let used = fields
            .chain(reserved)
            .chain(extensions)
            .filter(|&number| number < MAX_FIELD_NUMBER);
        last = last.max(used.max().unwrap_or(0));
    }
    number_after(last)
}

/// The field number after `number` that protobuf does not keep for itself.
pub(super) fn number_after(number: i32) -> i32 {
    let next = number + 1;
    if KEPT_BY_PROTOBUF.contains(&next) {
        KEPT_BY_PROTOBUF.end() + 1
    } else {
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::FieldDescriptorProto;
    use prost_types::descriptor_proto::ReservedRange;

    fn message(numbers: &[i32], reserved: &[(i32, i32)]) -> DescriptorProto {
        let field = |&number: &i32| FieldDescriptorProto {
            number: Some(number),
            ..Default::default()
        };
        let range = |&(start, end): &(i32, i32)| ReservedRange {
            start: Some(start),
            end: Some(end),
        };
        DescriptorProto {
            field: numbers.iter().map(field).collect(),
            reserved_range: reserved.iter().map(range).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn the_free_number_is_above_all_that_was_ever_used() {
        assert_eq!(next_free_number(&[&message(&[], &[])]), 1);
        assert_eq!(
            next_free_number(&[&message(&[1, 3], &[]), &message(&[2], &[])]),
            4
        );
        assert_eq!(next_free_number(&[&message(&[1], &[(5, 10)])]), 10);
    }

    #[test]
    fn the_free_number_is_none_that_protobuf_keeps() {
        assert_eq!(next_free_number(&[&message(&[18_999], &[])]), 20_000);
    }

    #[test]
    fn a_range_up_to_the_maximum_is_not_counted() {
        assert_eq!(
            next_free_number(&[&message(&[1, 2], &[(100, MAX_FIELD_NUMBER + 1)])]),
            3
        );
    }
}
