//! The signature of a call: what it takes, what it answers, and which sides of it stream.

use super::streams;
use crate::diagnostics::Errors;
use crate::model::Parameter;
use crate::types;
use syn::{FnArg, GenericArgument, GenericParam, PathArguments, ReturnType, Signature, Type};

/// Checks what every call has: `async`, `&self`, no generics.
pub(super) fn check_shape(signature: &Signature, errors: &mut Errors) {
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            format!(
                "a call waits for its answer; write `async fn {}`",
                signature.ident
            ),
        );
    }
    for parameter in &signature.generics.params {
        if !matches!(parameter, GenericParam::Lifetime(_)) {
            errors.at(parameter, "protobuf has no generics; name the types");
        }
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

/// What the client sends.
pub(super) struct Data {
    pub(super) ty: Type,
    pub(super) streams: bool,
}

/// What a session writes into.
pub(super) struct Outgoing {
    /// The whole of it, `Outgoing<T>`.
    pub(super) ty: Type,
    /// The `T`.
    pub(super) item: Type,
}

/// The parameters after `&self`.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) order: Vec<Parameter>,
    pub(super) data: Option<Data>,
    pub(super) outgoing: Option<Outgoing>,
    /// Whether there is a parameter that was refused, so that nothing is said to be missing.
    unread: bool,
}

/// Reads the parameters.
pub(super) fn inputs(signature: &Signature, errors: &mut Errors) -> Inputs {
    let mut inputs = Inputs::default();
    for input in &signature.inputs {
        let FnArg::Typed(input) = input else { continue };
        let ty = input.ty.as_ref();
        if is_context(ty) {
            if inputs.order.contains(&Parameter::Context) {
                errors.at(ty, "the context is taken already");
            }
            inputs.order.push(Parameter::Context);
        } else if let Some(message) = streams::misread(ty) {
            errors.at(ty, message);
            inputs.unread = true;
        } else if let Some(item) = argument_of(ty, "Outgoing") {
            if inputs.outgoing.is_some() {
                errors.at(
                    ty,
                    "a session has one output; make what it sends an enum with data",
                );
            }
            inputs.outgoing = Some(Outgoing {
                ty: ty.clone(),
                item: without_result(item, "Outgoing", errors),
            });
            inputs.order.push(Parameter::Outgoing);
        } else {
            let item = argument_of(ty, "Streaming");
            if let Some(first) = &inputs.data {
                errors.at(ty, one_request(first.streams, item.is_some()));
                continue;
            }
            inputs.data = Some(Data {
                streams: item.is_some(),
                ty: match item {
                    Some(item) => without_result(item, "Streaming", errors),
                    None => ty.clone(),
                },
            });
            inputs.order.push(Parameter::Data);
        }
    }
    if let (Some(outgoing), None, false) = (&inputs.outgoing, &inputs.data, inputs.unread) {
        errors.at(
            &outgoing.ty,
            "a session has an input too: `input: Streaming<…>, output: Outgoing<…>`; what only sends returns \
             `Result<impl Stream<Item = Result<…, Status>>, Status>`",
        );
    }
    inputs
}

/// What to write instead of a second request.
fn one_request(first_streams: bool, second_streams: bool) -> &'static str {
    match (first_streams, second_streams) {
        (true, true) => {
            "a call reads one stream; make its messages an enum with data, which is one or the other"
        }
        (false, false) => "a call has one request; put what it needs into one contract",
        _ => {
            "a call has one request or one stream of them; put what comes first into the stream's first message, \
             or into the metadata"
        }
    }
}

/// The `T` that is meant by `Streaming<Result<T, Status>>`.
fn without_result(item: Type, end: &str, errors: &mut Errors) -> Type {
    let Some(inner) = argument_of(&item, "Result") else {
        return item;
    };
    let why = match end {
        "Outgoing" => "`fail` and the method's own result tell what went wrong",
        _ => "`Streaming` gives each message as a `Result` by itself",
    };
    errors.at(&item, format!("{why}; write `{end}<{}>`", types::text(&inner)));
    inner
}

/// `&Context`, also with a path before it.
fn is_context(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => match reference.elem.as_ref() {
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
pub(super) fn argument_of(ty: &Type, name: &str) -> Option<Type> {
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

pub(super) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// What the server sends.
pub(super) struct Output {
    pub(super) ty: Type,
    pub(super) streams: bool,
}

const RETURNS: &str =
    "a call answers `Result<…, Status>`, with a contract, or with `impl Stream<Item = Result<…, Status>>`";

/// `Result<T, Status>`, or `Result<impl Stream<Item = Result<T, Status>>, Status>`.
pub(super) fn output(signature: &Signature, errors: &mut Errors) -> Option<Output> {
    let ReturnType::Type(_, ty) = &signature.output else {
        errors.at(
            &signature.ident,
            format!("{RETURNS}; write `-> Result<(), Status>`"),
        );
        return None;
    };
    let Some(answer) = result_of(ty) else {
        let message = match streams::is_stream(ty) {
            true => {
                "opening a stream can fail, too; write `Result<impl Stream<Item = Result<…, Status>>, Status>`"
            }
            false => RETURNS,
        };
        errors.at(ty, message);
        return None;
    };
    let Type::ImplTrait(stream) = &answer else {
        if let Some(message) = streams::hidden(&answer) {
            errors.at(&answer, message);
            return None;
        }
        return Some(Output {
            ty: answer,
            streams: false,
        });
    };
    Some(Output {
        ty: streams::item(stream, errors)?,
        streams: true,
    })
}

/// The `T` of `Result<T, Status>`.
pub(super) fn result_of(ty: &Type) -> Option<Type> {
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
