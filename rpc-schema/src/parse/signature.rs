//! The signature of a call: what it takes, what it answers, and which sides of it stream.

use crate::diagnostics::Errors;
use crate::model::Parameter;
use syn::{FnArg, GenericArgument, GenericParam, PathArguments, ReturnType, Signature, Type, TypeParamBound};

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

/// The parameters after `&self`.
#[derive(Default)]
pub(super) struct Inputs {
    pub(super) order: Vec<Parameter>,
    pub(super) data: Option<Data>,
    pub(super) outgoing: Option<Type>,
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
