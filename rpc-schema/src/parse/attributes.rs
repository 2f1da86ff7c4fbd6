//! What the attributes of an item say beside its contract: docs, `cfg`s, further keys, generics.

use super::{attribute_arguments, attribute_name};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

/// The doc comment, a line each, without the leading space.
pub(super) fn docs(attributes: &[Attribute]) -> Vec<String> {
    let mut lines = Vec::new();
    for attribute in attributes {
        if !attribute.path().is_ident("doc") {
            continue;
        }
        if let syn::Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &pair.value
        {
            lines.extend(
                text.value()
                    .lines()
                    .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()),
            );
            if text.value().is_empty() {
                lines.push(String::new());
            }
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

pub(super) fn has_attribute(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// Contracts are the same for every reader, so nothing inside one may depend on a `cfg`.
pub(super) fn refuse_cfg(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes {
        if attribute.path().is_ident("cfg") || hides_a_fact(attribute) {
            errors.at(
                attribute,
                "what is on the wire must not depend on how one side was compiled; put the `cfg` on the whole contract, or \
                 make the field an `Option`",
            );
        }
    }
}

/// Whether a `cfg_attr` holds something that the contract is read from; other crates' attributes are none of ours.
pub fn hides_a_fact(attribute: &Attribute) -> bool {
    if !attribute.path().is_ident("cfg_attr") {
        return false;
    }
    let metas = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    metas.into_iter().flatten().skip(1).any(|meta| {
        let name = meta
            .path()
            .segments
            .last()
            .map(|segment| segment.ident.to_string());
        matches!(
            name.as_deref(),
            Some("cfg" | "cfg_attr" | "contract" | "default" | "field" | "message")
        )
    })
}

/// All keys of all `#[name(…)]` attributes of an item.
pub(super) fn attribute_keys(
    name: &str,
    known: &[&str],
    attributes: &[Attribute],
    errors: &mut Errors,
) -> Keys {
    let mut keys = Keys::parse(name, known, TokenStream::new(), errors);
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute_name(attribute).as_deref() == Some(name))
    {
        let more = Keys::parse(name, known, attribute_arguments(attribute), errors);
        keys.append(more, errors);
    }
    keys
}

/// Refuses keys that exist, but mean nothing here.
pub(super) fn refuse_keys(keys: &Keys, refused: &[&str], why: &str, errors: &mut Errors) {
    for key in refused {
        if let Some(span) = keys.span(key) {
            errors.at_span(span, format!("`{key}` {why}"));
        }
    }
}

/// Refuses generics, which protobuf does not have.
pub(super) fn refuse_generics(generics: &syn::Generics, what: &str, errors: &mut Errors) -> bool {
    if generics.params.is_empty() {
        return false;
    }
    let lifetimes = generics.lifetimes().next().is_some();
    let advice = if lifetimes {
        "a contract owns its data; use `String` and `Bytes` instead of references".to_owned()
    } else {
        format!("protobuf has no generics; make one {what} for each use")
    };
    errors.at_span(generics.params.span(), advice);
    true
}
