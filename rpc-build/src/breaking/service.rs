//! Services and methods: what can be called, with what, and what comes back.

use prost_types::method_options::IdempotencyLevel;
use prost_types::{MethodDescriptorProto, ServiceDescriptorProto};

use super::index::full_name;
use super::removed::check_deleted;
use super::{Comparison, Element, Rule};

/// What `()` is in a `.proto`. It is not the user's, and cannot grow.
const EMPTY: &str = "google.protobuf.Empty";
/// The packages of messages that are not the author's to change.
const WELL_KNOWN: &str = "google.protobuf.";

/// Compares every service with the one of the same full name; the file it stands in does not matter.
pub(super) fn check_services(cx: &mut Comparison<'_>) {
    let (before, after) = (cx.before, cx.after);
    for (name, &old) in &before.services {
        match after.services.get(name) {
            Some(&new) => check_service(cx, name, old.it, new.it),
            None => check_deleted(
                cx,
                Rule::PackageServiceNoDelete,
                Element::service(name),
                old.file.package(),
                format!("service `{name}` is gone; a client already out there still calls it"),
            ),
        }
    }
}

fn check_service(
    cx: &mut Comparison<'_>,
    service: &str,
    old: &ServiceDescriptorProto,
    new: &ServiceDescriptorProto,
) {
    for old_method in &old.method {
        let name = old_method.name();
        match new.method.iter().find(|method| method.name() == name) {
            Some(new_method) => check_method(cx, service, old_method, new_method),
            None if cx.is_removed(&format!("{service}/{name}")) => {}
            None => cx.breaking(
                vec![Rule::RpcNoDelete],
                Element::method(service, name),
                Some(Element::service(service)),
                format!("method `{name}` of `{service}` is gone; a client already out there still calls it"),
                format!(
                    "bring it back, or say that it is gone with #[contract(removed(\"{}/{name}\"))]",
                    old.name()
                ),
            ),
        }
    }
}

fn check_method(
    cx: &mut Comparison<'_>,
    service: &str,
    old: &MethodDescriptorProto,
    new: &MethodDescriptorProto,
) {
    let name = new.name();
    let mut report = |rules: Vec<Rule>, problem: String, help: String| {
        let element = Element::method(service, name);
        cx.breaking(rules, element.clone(), Some(element), problem, help);
    };
    let other_method = "let it be as it was, and add a method of another name for the new kind of call";

    let mut streaming = Vec::new();
    if old.client_streaming() != new.client_streaming() {
        streaming.push(Rule::RpcSameClientStreaming);
    }
    if old.server_streaming() != new.server_streaming() {
        streaming.push(Rule::RpcSameServerStreaming);
    }
    if !streaming.is_empty() {
        report(
            streaming,
            format!(
                "method `{name}` of `{service}` was {} and is now {}; a client already out there calls it the old way",
                kind(old),
                kind(new)
            ),
            other_method.to_owned(),
        );
    }
    for (rule, verb, before, was, is) in [
        (
            Rule::RpcSameRequestType,
            "takes",
            "took",
            old.input_type(),
            new.input_type(),
        ),
        (
            Rule::RpcSameResponseType,
            "returns",
            "returned",
            old.output_type(),
            new.output_type(),
        ),
    ] {
        if was != is {
            let (was, is) = (full_name(was), full_name(is));
            let keep = match was {
                EMPTY => "keep `()`".to_owned(),
                // Nothing can be added to them.
                _ if was.starts_with(WELL_KNOWN) => format!("keep `{was}`"),
                _ => format!("keep `{was}` and add fields to it"),
            };
            report(
                vec![rule],
                format!(
                    "method `{name}` of `{service}` {verb} `{is}` and {before} `{was}`; a client already out there knows \
                     only that"
                ),
                format!("{keep}, or add a method of another name"),
            );
        }
    }
    if promise(old) > promise(new) {
        report(
            vec![Rule::RpcSameIdempotencyLevel],
            format!(
                "method `{name}` of `{service}` was {} and is no longer; a client already out there may call it twice",
                if promise(old) == 2 {
                    "free of side effects"
                } else {
                    "idempotent"
                }
            ),
            "keep #[message(idempotent)], or add a method of another name".to_owned(),
        );
    }
}

fn kind(method: &MethodDescriptorProto) -> &'static str {
    match (method.client_streaming(), method.server_streaming()) {
        (false, false) => "unary",
        (false, true) => "server streaming",
        (true, false) => "client streaming",
        (true, true) => "bidirectional streaming",
    }
}

/// How much a method promises about being called twice. Only a promise that is taken back breaks a client: one that
/// does not know of a promise does not rely on it.
fn promise(method: &MethodDescriptorProto) -> u8 {
    match method.options.as_ref().map(|options| options.idempotency_level()) {
        None | Some(IdempotencyLevel::IdempotencyUnknown) => 0,
        Some(IdempotencyLevel::Idempotent) => 1,
        Some(IdempotencyLevel::NoSideEffects) => 2,
    }
}
