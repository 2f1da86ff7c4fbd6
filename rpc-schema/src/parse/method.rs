//! One method of a trait contract, or one handler of a gateway: its signature and the keys of `#[message(…)]`.

use super::signature::{check_shape, inputs, is_unit, output};
use super::{access, attribute_keys, attribute_name, docs, has_attribute};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Method, MethodKind, MethodOptions};
use crate::names;
use crate::types::{self, Value};
use std::time::Duration;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Signature, Type};

/// The keys of `#[message(…)]`.
const MESSAGE_KEYS: [&str; 10] = [
    "name",
    "method",
    "auth",
    "guard",
    "deadline",
    "idempotent",
    "one_way",
    "spawn",
    "number",
    "transports",
];

/// Where a method stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Trait,
    Gateway,
}

/// Reads one method; gives nothing if its signature is not one of a call.
pub(super) fn parse(
    signature: &Signature,
    attributes: &[Attribute],
    place: Place,
    errors: &mut Errors,
) -> Option<Method> {
    let before = errors.iter().count();
    let second = attributes
        .iter()
        .filter(|attribute| attribute_name(attribute).as_deref() == Some("message"))
        .nth(1);
    if let Some(second) = second {
        errors.at(second, "`#[message]` is given twice; put all keys into one");
    }
    let mut keys = attribute_keys("message", &MESSAGE_KEYS, attributes, errors);
    let mut request_name = keys.leading.take();
    if place == Place::Trait
        && let Some(name) = request_name.take()
    {
        errors.at(
            name,
            "a trait's method names its request in its signature; leave this out",
        );
    }
    let given_name = given_name(&mut keys, errors);
    let options = options(&mut keys, attributes, errors);
    check_shape(signature, errors);
    let inputs = inputs(signature, errors);
    let output = output(signature, errors)?;

    let session = inputs.outgoing.is_some();
    if session && (output.streams || !is_unit(&output.ty)) {
        errors.at(
            &output.ty,
            "a session writes into its `Outgoing`; it returns `Result<(), Status>`",
        );
    }
    if let Some(data) = inputs.data.as_ref().filter(|data| session && !data.streams) {
        errors.at(
            &data.ty,
            format!(
                "a session reads a stream; write `Streaming<{}>`",
                types::text(&data.ty)
            ),
        );
    }
    let client_streams = inputs.data.as_ref().is_some_and(|data| data.streams);
    let kind = match (client_streams, output.streams || session) {
        (false, false) => MethodKind::Unary,
        (false, true) => MethodKind::ServerStreaming,
        (true, false) => MethodKind::ClientStreaming,
        (true, true) => MethodKind::Bidirectional,
    };
    let response_type = inputs.outgoing.map_or(output.ty, |outgoing| outgoing.item);
    let request = match (&inputs.data, &request_name) {
        (Some(data), _) => types::parse_message_type(&data.ty, errors)?,
        (None, Some(name)) => Value::Named(errors.ok(name.parse())?),
        (None, None) => Value::Unit,
    };
    let agrees = match (&request_name, &inputs.data) {
        (Some(name), Some(data)) => check_request_name(name, &request, &data.ty, errors),
        _ => true,
    };
    let name = match (given_name, &request_name) {
        (Some(name), _) => name,
        (None, Some(request)) if agrees => derived_name(request, errors),
        (None, Some(_)) => String::new(),
        (None, None) => {
            let name = names::upper_camel_case(&names::plain(&signature.ident));
            if !names::is_proto_ident(&name) {
                errors.at(
                    &signature.ident,
                    format!("`{name}` is no method name in protobuf; add `#[message(name = \"…\")]` with letters and digits"),
                );
            }
            name
        }
    };
    let response = types::parse_message_type(&response_type, errors)?;
    for (value, ty) in [
        (&request, inputs.data.as_ref().map(|data| &data.ty)),
        (&response, Some(&response_type)),
    ] {
        if let (Some(scalar), Some(ty)) = (value.scalar(), ty)
            && scalar.wrapper().is_none()
        {
            errors.at(ty, "this scalar has no wrapper message; put it into a contract");
        }
    }
    if options.one_way {
        check_one_way(kind, &request, &response, &response_type, signature, errors);
    }
    (errors.iter().count() == before).then(|| Method {
        ident: signature.ident.clone(),
        name,
        docs: docs(attributes),
        kind,
        parameters: inputs.order,
        request,
        request_type: inputs.data.map(|data| data.ty),
        response,
        response_type,
        options,
        span: signature.ident.span(),
    })
}

/// A one-way call sends one message, and nothing comes back.
fn check_one_way(
    kind: MethodKind,
    request: &Value,
    response: &Value,
    response_type: &Type,
    signature: &Signature,
    errors: &mut Errors,
) {
    if kind.client_streams() {
        errors.at(
            &signature.ident,
            format!(
                "a one-way call sends one message; take `{}` instead of a stream of them, or leave `one_way` out",
                request.describe()
            ),
        );
    } else if kind.server_streams() || !matches!(response, Value::Unit) {
        errors.at(
            response_type,
            "nothing comes back from a one-way call; return `Result<(), Status>`, or leave `one_way` out",
        );
    }
}

/// Whether the handler takes the request that its attribute names.
fn check_request_name(name: &LitStr, request: &Value, ty: &Type, errors: &mut Errors) -> bool {
    let taken = match request {
        Value::Named(path) => path.segments.last().map(|segment| names::plain(&segment.ident)),
        _ => None,
    };
    if taken.as_ref() == Some(&name.value()) {
        return true;
    }
    let advice = match taken {
        Some(taken) => format!("`{taken}`; write `#[message(\"{taken}\")]`, or change its parameter"),
        None => format!(
            "`{}`, which is no contract; change its parameter",
            types::text(ty)
        ),
    };
    errors.at(name, format!("the handler takes {advice}"));
    false
}

/// `name = "…"` or `method = "…"`.
fn given_name(keys: &mut Keys, errors: &mut Errors) -> Option<String> {
    let given = keys.string("name", "AddTask", errors);
    let given = keys.string("method", "AddTask", errors).or(given)?;
    let value = given.value();
    if !names::is_proto_ident(&value) || !value.starts_with(|c: char| c.is_ascii_uppercase()) {
        errors.at(
            &given,
            format!("`{value}` is no method name; write letters and digits, like `AddTask`"),
        );
    }
    Some(value)
}

/// `AddTaskRequest` → `AddTask`.
fn derived_name(request: &LitStr, errors: &mut Errors) -> String {
    match request.value().strip_suffix("Request") {
        Some(stem) if !stem.is_empty() => stem.to_owned(),
        _ => {
            errors.at(
                request,
                "the method's name cannot be derived from a request that does not end in `Request`; add `method = \"…\"`",
            );
            String::new()
        }
    }
}

fn options(keys: &mut Keys, attributes: &[Attribute], errors: &mut Errors) -> MethodOptions {
    let access = access(keys, errors);
    let deadline = keys.string("deadline", "5s", errors).and_then(|text| {
        let parsed = duration(&text.value());
        if parsed.is_none() {
            errors.at(
                &text,
                "a deadline is a number and a unit: `250ms`, `5s`, `2m`, `1h`",
            );
        }
        parsed
    });
    let number = keys
        .integer("number", "0x1234", errors)
        .and_then(|(number, span)| {
            if number == 0 {
                errors.at_span(span, "number 0 is reserved; take another");
                return None;
            }
            Some(number)
        });
    let transports = keys
        .list("transports", "\"ws\", \"http\"", errors)
        .into_iter()
        .filter_map(|expr| match &expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(name), ..
            }) if ["ws", "http"].contains(&name.value().as_str()) => Some(name.value()),
            other => {
                errors.at(other, "a transport is \"ws\" or \"http\"");
                None
            }
        })
        .collect();
    MethodOptions {
        access,
        deadline,
        idempotent: keys.flag("idempotent", errors),
        one_way: keys.flag("one_way", errors),
        spawn: keys.flag("spawn", errors),
        number,
        transports,
        deprecated: has_attribute(attributes, "deprecated"),
    }
}

/// `250ms`, `5s`, `2m`, `1h`; more than nothing.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}
