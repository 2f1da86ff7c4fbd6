//! The most heap that one byte on the wire can become, for a type and all it may hold.

use std::collections::HashSet;

use super::growth;
use crate::contract::{Cardinality, FieldDescriptor, Holder, Kind, MessageDescriptor};

/// The factor of `message`.
///
/// An element's own key and length belong to no other element, so the factor of a message is the largest of any field
/// that can be reached: nesting does not multiply it.
pub(super) fn factor(message: &'static MessageDescriptor) -> u64 {
    fn walk(message: &'static MessageDescriptor, seen: &mut HashSet<*const MessageDescriptor>) -> u64 {
        if !seen.insert(message) {
            return 0;
        }
        let mut largest = 0;
        for field in message.fields {
            largest = largest.max(field_factor(field));
            if let Kind::Message(inner) = field.kind {
                largest = largest.max(walk(inner(), seen));
            }
        }
        largest
    }
    walk(message, &mut HashSet::new())
}

/// The factor of a field's own values, without what lies inside messages.
fn field_factor(field: &FieldDescriptor) -> u64 {
    let slot = field.layout.slot as u64;
    let values = content_factor(field.kind, field.layout.copied);
    let boxes = (field.layout.boxed as u64).div_ceil(2);
    let held = match (field.layout.holder, field.kind) {
        (Holder::Inline, _) => 0,
        // A key and a value are two bytes at least, and a run of one takes the room of four twice over.
        (Holder::List, kind) if kind.is_packable() => 6 * slot.max(2),
        (Holder::List, _) => (growth::push(slot, true).max(growth::push(slot, false))).div_ceil(2),
        (Holder::HashMap, _) => growth::hash_entry(slot, true).div_ceil(2),
        (Holder::BTreeMap, _) => growth::tree_entry(slot, true).div_ceil(2),
    };
    let keys = match field.cardinality {
        Cardinality::Map(key) => content_factor(key, true),
        _ => 0,
    };
    held + boxes + values.max(keys)
}

/// A text of one byte takes three on the wire and ten here.
fn content_factor(kind: Kind, copied: bool) -> u64 {
    match kind {
        Kind::String => 4,
        Kind::Bytes if copied => 4,
        _ => 0,
    }
}
