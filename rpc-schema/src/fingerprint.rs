//! The facts of one item as one number.
//!
//! The macro and the build script each compute it from what they see; where they differ, the build script has not seen
//! this item (or has seen another). It covers facts, not text: comments and formatting do not change it.

use crate::model::{Access, Enum, Field, Item, Message, Method, Origin, Service};
use crate::names::fnv1a64;
use crate::types::{Cardinality, Value, text};
use std::fmt::Write;

/// The fingerprint, as 16 hexadecimal digits.
pub fn fingerprint(item: &Item) -> String {
    format!("{:016x}", fnv1a64(&facts(item)))
}

/// What the fingerprint covers, in words, for tests and for whoever wonders why two differ.
pub fn facts(item: &Item) -> String {
    let mut out = String::new();
    let common = item.common();
    line(
        &mut out,
        &format!(
            "{} path={:?} removed={:?}",
            common.full_name(),
            common.proto_path,
            common.removed
        ),
    );
    match item {
        Item::Message(message) => message_facts(&mut out, message),
        Item::Enum(item) => enum_facts(&mut out, item),
        Item::Service(service) => service_facts(&mut out, service),
    }
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn message_facts(out: &mut String, message: &Message) {
    let kind = if message.oneof { "oneof" } else { "message" };
    line(
        out,
        &format!(
            "{kind} event={} reserved={:?} unset={:?}",
            message.event,
            message.reserved,
            message.unset.is_some()
        ),
    );
    if let Some(channels) = &message.channels {
        line(out, &format!("channels {channels}"));
    }
    if let Some(crud) = &message.crud {
        line(
            out,
            &format!(
                "crud {} {:?} {}",
                crud.controller,
                crud.operations,
                access(&crud.access)
            ),
        );
        if let Some(changes) = &crud.changes {
            line(out, &format!("changes {changes}"));
        }
    }
    for field in &message.fields {
        field_facts(out, field);
    }
}

fn field_facts(out: &mut String, field: &Field) {
    let facts = &field.facts;
    let cardinality = match &field.ty.cardinality {
        Cardinality::Map { key, .. } => format!("map<{}>", key.proto_name()),
        other => format!("{other:?}"),
    };
    line(
        out,
        &format!(
            "{} = {} {cardinality} {} deprecated={} id={} unique={} index={} default={:?} {:?}",
            field.name,
            field.number,
            field.ty.value.describe(),
            field.deprecated,
            facts.id,
            facts.unique,
            facts.index,
            facts.default.as_ref().map(text),
            field.rules
        ),
    );
}

fn enum_facts(out: &mut String, item: &Enum) {
    line(
        out,
        &format!("enum open={} reserved={:?}", item.other.is_some(), item.reserved),
    );
    for value in &item.values {
        line(
            out,
            &format!(
                "{} = {} deprecated={}",
                value.name, value.number, value.deprecated
            ),
        );
    }
}

fn service_facts(out: &mut String, service: &Service) {
    let origin = match service.origin {
        Origin::Trait => "trait",
        Origin::Gateway => "gateway",
    };
    line(out, &format!("{origin} {}", access(&service.access)));
    for method in &service.methods {
        method_facts(out, method);
    }
}

fn method_facts(out: &mut String, method: &Method) {
    let describe = |value: &Value| value.describe();
    line(
        out,
        &format!(
            "{} {:?} {} -> {} {} {:?}",
            method.name,
            method.kind,
            describe(&method.request),
            describe(&method.response),
            access(&method.options.access),
            (
                method.options.deadline,
                method.options.idempotent,
                method.options.one_way,
                method.options.spawn,
                method.options.number,
                &method.options.transports,
                method.options.deprecated,
            )
        ),
    );
}

fn access(access: &Access) -> String {
    let mut out = format!("auth={}", access.auth);
    for guard in &access.guards {
        let _ = write!(out, " guard={guard}");
    }
    out
}
