//! One method of a trait contract, or one handler of a gateway: its signature and the keys of `#[message(…)]`.

use super::{access, attribute_keys, attribute_name, docs, has_attribute};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Method, MethodKind, MethodOptions, Parameter};
use crate::names;
use crate::types::{self, Value};
use std::time::Duration;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericArgument, Lit, LitStr, PathArguments, ReturnType, Signature,
    Type, TypeParamBound,
};

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
    if place == Place::Trait
        && attributes
            .iter()
            .filter(|a| attribute_name(a).as_deref() == Some("message"))
            .count()
            > 1
    {
        errors.at(
            &signature.ident,
            "`#[message]` is given twice; put all keys into one",
        );
    }
    let mut keys = attribute_keys("message", &MESSAGE_KEYS, attributes, errors);
    let request_name = keys.leading.take();
    if let (Place::Trait, Some(name)) = (place, &request_name) {
        errors.at(
            name,
            "a trait's method names its request in its signature; leave this out",
        );
    }
    let name = method_name(&mut keys, signature, request_name.as_ref(), errors);
    let options = options(&mut keys, attributes, errors);
    check_shape(signature, errors);
    let inputs = inputs(signature, errors);
    let output = output(signature, errors)?;

    let session = inputs.outgoing.is_some();
    if session && (output.streams || !is_unit(&output.ty)) {
        errors.at(
            &signature.output,
            "a session writes into its `Outgoing`; it returns `Result<(), Status>`",
        );
    }
    if session && inputs.data.as_ref().is_some_and(|data| !data.streams) {
        errors.at(
            &signature.ident,
            "a session reads a stream: `input: Streaming<…>, output: Outgoing<…>`",
        );
    }
    let client_streams = inputs.data.as_ref().is_some_and(|data| data.streams);
    let kind = match (client_streams, output.streams || session) {
        (false, false) => MethodKind::Unary,
        (false, true) => MethodKind::ServerStreaming,
        (true, false) => MethodKind::ClientStreaming,
        (true, true) => MethodKind::Bidirectional,
    };
    let response_type = inputs.outgoing.clone().unwrap_or(output.ty);
    let request = match (&inputs.data, &request_name) {
        (Some(data), _) => types::parse_message_type(&data.ty, errors)?,
        (None, Some(name)) => Value::Named(errors.ok(name.parse())?),
        (None, None) => Value::Unit,
    };
    if let (Some(name), Value::Named(path)) = (&request_name, &request) {
        let declared = name.value();
        let taken = path
            .segments
            .last()
            .map(|segment| names::plain(&segment.ident))
            .unwrap_or_default();
        if declared != taken && inputs.data.is_some() {
            errors.at(
                name,
                format!(
                    "the handler takes `{taken}`; write `#[message(\"{taken}\")]`, or change its parameter"
                ),
            );
        }
    }
    let response = types::parse_message_type(&response_type, errors)?;
    for (value, ty) in [
        (&request, inputs.data.as_ref().map(|data| &data.ty)),
        (&response, Some(&response_type)),
    ] {
        if let (Some(scalar), Some(ty)) = (value.scalar(), ty) {
            if scalar.wrapper().is_none() {
                errors.at(ty, "this scalar has no wrapper message; put it into a contract");
            }
        }
    }
    if options.one_way && (kind != MethodKind::Unary || !matches!(response, Value::Unit)) {
        errors.at(
            &signature.ident,
            "nothing comes back from a one-way call; return `Result<(), Status>`",
        );
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

fn method_name(
    keys: &mut Keys,
    signature: &Signature,
    request: Option<&LitStr>,
    errors: &mut Errors,
) -> String {
    let given = keys.string("name", "AddTask", errors);
    let given = keys.string("method", "AddTask", errors).or(given);
    if let Some(given) = given {
        let value = given.value();
        if !names::is_proto_ident(&value) || !value.starts_with(|c: char| c.is_ascii_uppercase()) {
            errors.at(
                &given,
                format!("`{value}` is no method name; write letters and digits, like `AddTask`"),
            );
        }
        return value;
    }
    match request {
        Some(request) => match request.value().strip_suffix("Request") {
            Some(stem) if !stem.is_empty() => stem.to_owned(),
            _ => {
                errors.at(
                    request,
                    "the method's name cannot be derived from a request that does not end in `Request`; add `method = \"…\"`",
                );
                String::new()
            }
        },
        None => names::upper_camel_case(&names::plain(&signature.ident)),
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

fn check_shape(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            format!(
                "a call waits for its answer; write `async fn {}`",
                signature.ident
            ),
        );
    }
    if !signature.generics.params.is_empty() {
        errors.at(&signature.generics, "protobuf has no generics; name the types");
    }
    match signature.receiver() {
        Some(receiver)
            if receiver.reference.is_some()
                && receiver.mutability.is_none()
                && receiver.colon_token.is_none() => {}
        Some(receiver) => errors.at(receiver, "many calls run at once on one service; take `&self`"),
        None => errors.at(
            &signature.ident,
            format!("`{}` is called on a service; take `&self` first", signature.ident),
        ),
    }
}

struct Data {
    ty: Type,
    streams: bool,
}

#[derive(Default)]
struct Inputs {
    order: Vec<Parameter>,
    data: Option<Data>,
    outgoing: Option<Type>,
}

fn inputs(signature: &Signature, errors: &mut Errors) -> Inputs {
    let mut inputs = Inputs::default();
    for input in &signature.inputs {
        let FnArg::Typed(input) = input else { continue };
        let ty = input.ty.as_ref();
        if is_context(ty) {
            if inputs.order.contains(&Parameter::Context) {
                errors.at(ty, "the context is taken already");
            }
            inputs.order.push(Parameter::Context);
        } else if let Some(item) = argument_of(ty, "Outgoing") {
            if inputs.outgoing.is_some() {
                errors.at(ty, "a session has one output");
            }
            inputs.outgoing = Some(item);
            inputs.order.push(Parameter::Outgoing);
        } else if inputs.data.is_some() {
            errors.at(ty, "a call has one request; put what it needs into one contract");
        } else {
            let item = argument_of(ty, "Streaming");
            inputs.data = Some(Data {
                streams: item.is_some(),
                ty: item.unwrap_or_else(|| ty.clone()),
            });
            inputs.order.push(Parameter::Data);
        }
    }
    if inputs.outgoing.is_some() && inputs.data.is_none() {
        errors.at(
            &signature.ident,
            "a session has an input too: `input: Streaming<…>, output: Outgoing<…>`",
        );
    }
    inputs
}

/// `&Context`, also with a path before it.
fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => match reference.elem.as_ref() {
            Type::Path(path) => path
                .path
                .segments
                .last()
                .is_some_and(|segment| segment.ident == "Context"),
            _ => false,
        },
        _ => false,
    }
}

/// The `T` of `Name<T>`.
fn argument_of(ty: &Type, name: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    first_argument(&last.arguments)
}

fn first_argument(arguments: &PathArguments) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

struct Output {
    ty: Type,
    streams: bool,
}

const RETURNS: &str =
    "a call answers `Result<…, Status>`, with a contract, or with `impl Stream<Item = Result<…, Status>>`";

/// `Result<T, Status>`, or `Result<impl Stream<Item = Result<T, Status>>, Status>`.
fn output(signature: &Signature, errors: &mut Errors) -> Option<Output> {
    let ReturnType::Type(_, ty) = &signature.output else {
        errors.at(
            &signature.ident,
            format!("{RETURNS}; write `-> Result<(), Status>`"),
        );
        return None;
    };
    let Some(answer) = result_of(ty) else {
        errors.at(ty, RETURNS);
        return None;
    };
    let Type::ImplTrait(stream) = &answer else {
        return Some(Output {
            ty: answer,
            streams: false,
        });
    };
    let item = stream.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound
            .path
            .segments
            .last()
            .filter(|segment| segment.ident == "Stream")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return None;
        };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(item) if item.ident == "Item" => result_of(&item.ty),
            _ => None,
        })
    });
    match item {
        Some(item) => Some(Output {
            ty: item,
            streams: true,
        }),
        None => {
            errors.at(
                stream,
                "a stream of answers is `impl Stream<Item = Result<…, Status>>`",
            );
            None
        }
    }
}

/// The `T` of `Result<T, Status>`.
fn result_of(ty: &Type) -> Option<Type> {
    argument_of(ty, "Result").filter(|_| {
        let Type::Path(path) = ty else { return false };
        let Some(PathArguments::AngleBracketed(arguments)) =
            path.path.segments.last().map(|segment| &segment.arguments)
        else {
            return false;
        };
        match arguments.args.iter().nth(1) {
            None => true,
            Some(GenericArgument::Type(Type::Path(error))) => error
                .path
                .segments
                .last()
                .is_some_and(|segment| segment.ident == "Status"),
            Some(_) => false,
        }
    })
}
