//! Streams in the signature of a call: what they are of, and what to write instead of what looks like one.

use super::signature::{argument_of, result_of};
use crate::diagnostics::Errors;
use crate::types;
use syn::visit::Visit;
use syn::{
    AssocType, GenericArgument, PathArguments, TraitBound, Type, TypeImplTrait, TypeParamBound, TypePath,
};

/// The `T` of `impl Stream<Item = Result<T, Status>>`.
pub(super) fn item(stream: &TypeImplTrait, errors: &mut Errors) -> Option<Type> {
    let Some(item) = stream.bounds.iter().find_map(item_of) else {
        errors.at(
            stream,
            "a stream of answers is `impl Stream<Item = Result<…, Status>>`",
        );
        return None;
    };
    let found = result_of(&item.ty);
    if found.is_none() {
        let message = match argument_of(&item.ty, "Result") {
            Some(inner) => format!(
                "a client gets a `Status` and nothing else; write `Item = Result<{}, Status>`",
                types::text(&inner)
            ),
            None => format!(
                "a stream can fail after any item; write `Item = Result<{}, Status>`",
                types::text(&item.ty)
            ),
        };
        errors.at(&item.ty, message);
    }
    found
}

/// The `Item = …` of the bound `Stream<Item = …>`.
fn item_of(bound: &TypeParamBound) -> Option<&AssocType> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let last = bound.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let mut arguments = arguments.args.iter();
    arguments.find_map(|argument| match argument {
        GenericArgument::AssocType(item) if last.ident == "Stream" && item.ident == "Item" => Some(item),
        _ => None,
    })
}

/// What to write instead of a parameter that names a stream but is not read as one.
pub(super) fn misread(ty: &Type) -> Option<String> {
    match ty {
        Type::ImplTrait(_) if is_stream(ty) => {
            Some("what a client streams is read from a `Streaming<…>`; write that".to_owned())
        }
        Type::Reference(reference) => {
            let name = last_name(&reference.elem)?;
            match name.as_str() {
                "Streaming" | "Outgoing" => Some(format!(
                    "a method owns its end of a stream; write `{}`",
                    types::text(&reference.elem)
                )),
                // Only `&mut Context` comes here.
                "Context" => Some("the context is shared; write `&Context`".to_owned()),
                _ => None,
            }
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let name = last.ident.to_string();
            match (name.as_str(), last.arguments.is_none()) {
                ("Streaming" | "Outgoing", true) => {
                    Some(format!("name the contract that it is a stream of: `{name}<…>`"))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What to write instead of an answer with a stream somewhere inside of it.
pub(super) fn hidden(answer: &Type) -> Option<String> {
    if matches!(last_name(answer)?.as_str(), "Outgoing") {
        return Some(
            "a session takes its `Outgoing<…>` as a parameter, and returns `Result<(), Status>`".to_owned(),
        );
    }
    let named = matches!(
        last_name(answer)?.as_str(),
        "Streaming" | "BoxStream" | "LocalBoxStream" | "ReceiverStream" | "UnboundedReceiverStream"
    );
    let boxed = matches!(last_name(answer)?.as_str(), "Pin" | "Box");
    if named || (boxed && is_stream(answer)) {
        return Some(
            "say what the stream gives, not which stream it is; write `impl Stream<Item = Result<…, Status>>`, as \
             which any stream can be returned, a boxed one too"
                .to_owned(),
        );
    }
    is_stream(answer).then(|| {
        "a call answers with one message or with one stream; write `impl Stream<Item = Result<…, Status>>`".to_owned()
    })
}

/// Whether `impl Stream` or `dyn Stream` stands somewhere in a type.
pub(super) fn is_stream(ty: &Type) -> bool {
    let mut found = Found(false);
    found.visit_type(ty);
    found.0
}

struct Found(bool);

impl<'ast> Visit<'ast> for Found {
    fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
        let last = bound.path.segments.last();
        self.0 |= last.is_some_and(|segment| segment.ident == "Stream");
    }
}

/// The last segment of a path; the word `tuple` for a tuple, which has none.
fn last_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(TypePath { path, .. }) => path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Tuple(_) => Some("tuple".to_owned()),
        _ => None,
    }
}
