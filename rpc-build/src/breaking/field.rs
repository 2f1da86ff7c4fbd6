//! Fields: type, cardinality, name, oneof, default, of every number that both sides have.

use prost_types::field_descriptor_proto::Type;

use super::field_help::{Surroundings, called_differently, moved, reshaped, reused};
use super::index::{Index, full_name, names_by_number};
use super::message::next_free_number;
use super::types::{Field, wire_group, wire_json_group};
use super::{Comparison, Element, Rule};

/// Compares two fields with one number.
pub(super) fn check_field(
    cx: &mut Comparison<'_>,
    around: &Surroundings<'_>,
    old: &Field<'_>,
    new: &Field<'_>,
) {
    check_declaration(cx, around, old, new);
    check_oneof(cx, around, old, new);
    check_default(cx, around, old, new);
}

/// Compares the extensions of each message, which may stand anywhere, by their numbers.
pub(super) fn check_extensions(cx: &mut Comparison<'_>) {
    let (before, after) = (cx.before, cx.after);
    for (name, &old) in &before.extensions {
        let extended = full_name(old.it.extendee());
        let successor = after
            .extensions
            .iter()
            .find(|(_, new)| new.it.number() == old.it.number() && full_name(new.it.extendee()) == extended);
        let old_field = Field::resolve(before, old, None, old.it);
        if let Some((_, &new)) = successor {
            let new_field = Field::resolve(after, new, None, new.it);
            let free_number = after
                .messages
                .get(extended)
                .map_or(1, |message| next_free_number(&[message.it]));
            let around = Surroundings::new(extended, vec![old_field], vec![new_field], free_number);
            check_field(cx, &around, &old_field, &new_field);
        }
        if !after.extensions.contains_key(name)
            && after.packages.contains(old.file.package())
            && !cx.is_removed(name)
        {
            cx.breaking(
                vec![Rule::PackageExtensionNoDelete],
                Element::field(extended, name, old.it.number()),
                after
                    .messages
                    .contains_key(extended)
                    .then(|| Element::message(extended)),
                format!("extension `{name}` of `{extended}` is gone"),
                "keep it, and mark it deprecated".to_owned(),
            );
        }
    }
}

/// Name, type and cardinality: together, because they change together when a number is given to another field.
fn check_declaration(cx: &mut Comparison<'_>, around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) {
    let mut rules = type_rules(cx.before, cx.after, old, new);
    if old.cardinality.wire_json_group() != new.cardinality.wire_json_group() {
        rules.push(Rule::FieldWireJsonCompatibleCardinality);
    }
    if old.cardinality.wire_group() != new.cardinality.wire_group() {
        rules.push(Rule::FieldWireCompatibleCardinality);
    }
    let shape_changed = !rules.is_empty();
    let renamed = old.name() != new.name();
    if renamed {
        rules.push(Rule::FieldSameName);
    }
    if old.json_name() != new.json_name() {
        rules.push(Rule::FieldSameJsonName);
    }
    if rules.is_empty() {
        return;
    }

    let element = Element::field(around.message, new.name(), new.number());
    let (problem, help) = match (renamed, shape_changed) {
        (true, _) if around.is_before(new.name()) || around.is_after(old.name()) => moved(around, old, new),
        (true, true) => reused(around, old, new),
        (true, false) => called_differently(around, old, new),
        (false, true) => reshaped(around, &rules, old, new),
        (false, false) => (
            format!(
                "field `{}` (number {}) of `{}` was {:?} in JSON and is now {:?}",
                new.name(),
                new.number(),
                around.message,
                old.json_name(),
                new.json_name()
            ),
            format!("keep json_name = {:?}", old.json_name()),
        ),
    };
    cx.breaking(rules, element.clone(), Some(element), problem, help);
}

/// The rules about types that the change from `old` to `new` breaks.
fn type_rules(before: &Index<'_>, after: &Index<'_>, old: &Field<'_>, new: &Field<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    // A map is compared by what it holds: its entry is named after the field, and would differ after a rename.
    if let (Some(old_entry), Some(new_entry)) = (old.entry, new.entry) {
        if let (Some(old_fields), Some(new_fields)) = (old.entry_fields(), new.entry_fields()) {
            for (old_proto, new_proto) in old_fields.into_iter().zip(new_fields) {
                let old = Field::resolve(before, old_entry, Some(old_entry.it), old_proto);
                let new = Field::resolve(after, new_entry, Some(new_entry.it), new_proto);
                for rule in type_rules(before, after, &old, &new) {
                    if !rules.contains(&rule) {
                        rules.push(rule);
                    }
                }
            }
        }
        return rules;
    }
    let same_named_type = match (old.kind, new.kind) {
        (Type::Enum, Type::Enum) => {
            old.type_name == new.type_name || is_same_enum(before, after, old.type_name, new.type_name)
        }
        (Type::Message, Type::Message) | (Type::Group, Type::Group) => old.type_name == new.type_name,
        _ => true,
    };
    if wire_json_group(old.kind) != wire_json_group(new.kind) || !same_named_type {
        rules.push(Rule::FieldWireJsonCompatibleType);
    }
    // Every string is valid bytes; not all bytes are a valid string.
    let widens_string = old.kind == Type::String && new.kind == Type::Bytes;
    if (wire_group(old.kind) != wire_group(new.kind) && !widens_string) || !same_named_type {
        rules.push(Rule::FieldWireCompatibleType);
    }
    rules
}

/// Whether the enum `new` can stand for the enum `old`: it has the same short name (it moved), and all its values.
fn is_same_enum(before: &Index<'_>, after: &Index<'_>, old: &str, new: &str) -> bool {
    let (Some(old), Some(new)) = (before.any_enum(old), after.any_enum(new)) else {
        return false;
    };
    let new_names = names_by_number(new.it);
    old.it.name() == new.it.name()
        && names_by_number(old.it)
            .iter()
            .all(|(number, names)| new_names.get(number).is_some_and(|new| names.is_subset(new)))
}

/// Fields that move into a oneof begin to clear each other; fields that leave one cease to.
fn check_oneof(cx: &mut Comparison<'_>, around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) {
    if old.oneof == new.oneof {
        return;
    }
    let message = around.message;
    let place = |oneof: Option<&str>| match oneof {
        Some(name) => format!("in the oneof `{name}`"),
        None => "outside of any oneof".to_owned(),
    };
    let element = Element::field(message, new.name(), new.number());
    cx.breaking(
        vec![Rule::FieldSameOneof],
        element.clone(),
        Some(element),
        format!(
            "field `{}` (number {}) of `{message}` was {} and is now {}; setting it clears other fields on one side only",
            new.name(),
            new.number(),
            place(old.oneof),
            place(new.oneof)
        ),
        format!(
            "leave it where it was, and declare what is new under another name with #[field(tag = {})]",
            around.free_number()
        ),
    );
}

/// proto2 fills in a default when it reads, so both sides must have the same one. proto3 has none but zero.
fn check_default(cx: &mut Comparison<'_>, around: &Surroundings<'_>, old: &Field<'_>, new: &Field<'_>) {
    let (Some(was), Some(is)) = (default_of(cx.before, old), default_of(cx.after, new)) else {
        return;
    };
    if was == is || (is_zero(&was) && is_zero(&is)) {
        return;
    }
    let message = around.message;
    let element = Element::field(message, new.name(), new.number());
    cx.breaking(
        vec![Rule::FieldSameDefault],
        element.clone(),
        Some(element),
        format!(
            "field `{}` (number {}) of `{message}` had the default {was:?} and has {is:?} now; a field that is not sent \
             reads differently on both sides",
            new.name(),
            new.number()
        ),
        format!("keep the default {was:?}"),
    );
}

/// A field's default in a form that can be compared across types; `None` for what has no default.
fn default_of(index: &Index<'_>, field: &Field<'_>) -> Option<String> {
    use super::types::Cardinality::{Map, Repeated};
    if matches!(field.cardinality, Repeated | Map) || matches!(field.kind, Type::Message | Type::Group) {
        return None;
    }
    let declared = field.proto.default_value.as_deref();
    Some(match field.kind {
        // The default of an enum is its first value; values are compared by number, for a rename is another finding.
        Type::Enum => {
            let values = index
                .any_enum(field.type_name)
                .map_or(&[][..], |found| &found.it.value);
            let value = match declared {
                Some(name) => values.iter().find(|value| value.name() == name),
                None => values.first(),
            };
            value.map_or(0, |value| value.number()).to_string()
        }
        Type::Bool if declared == Some("true") => "1".to_owned(),
        Type::String | Type::Bytes => declared.unwrap_or_default().to_owned(),
        // The compiler writes numbers in one canonical form, so only whole floats need help to equal integers.
        _ => declared.map_or_else(
            || "0".to_owned(),
            |text| text.strip_suffix(".0").unwrap_or(text).to_owned(),
        ),
    })
}

fn is_zero(default: &str) -> bool {
    default.is_empty() || matches!(default, "0" | "false" | "-0")
}
