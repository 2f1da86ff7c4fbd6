//! Pass 1: one annotated item becomes one [`Item`].
//!
//! Nothing here looks beyond the item. Every mistake is collected, so that all of an item's are shown at once.

mod attributes;
mod field;
mod message;
mod method;
mod misplaced;
mod rules;
mod service;
mod signature;
mod streams;
mod variants;

pub use attributes::hides_a_fact;
use attributes::{attribute_keys, docs, has_attribute, refuse_cfg, refuse_generics, refuse_keys};
pub use misplaced::refuse_misplaced;

use crate::channels;
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Access, Common, Item, Reserved};
use crate::names;
use proc_macro2::TokenStream;
use quote::ToTokens;
use std::ops::RangeInclusive;
use syn::{Attribute, Expr, ExprLit, ExprUnary, Ident, Lit, LitStr, UnOp};

/// The keys of `#[contract(…)]`.
const CONTRACT_KEYS: [&str; 13] = [
    "package",
    "controller",
    "message",
    "operations",
    "proto_path",
    "auth",
    "guard",
    "event",
    "channels",
    "changes",
    "reserved",
    "removed",
    "detached",
];

/// Reads the item below `#[contract(arguments)]`.
///
/// Gives nothing only where an item is so far off that there is nothing to emit; `errors` says why.
pub fn contract(arguments: TokenStream, item: &syn::Item, errors: &mut Errors) -> Option<Item> {
    let mut keys = Keys::parse("contract", &CONTRACT_KEYS, arguments, errors);
    match item {
        syn::Item::Struct(item) => message::parse(&mut keys, item, errors).map(Item::Message),
        syn::Item::Enum(item) => variants::parse(&mut keys, item, errors),
        syn::Item::Trait(item) => service::parse_trait(&mut keys, item, errors).map(Item::Service),
        other => {
            errors.at(
                name_tokens(other),
                "`#[contract]` stands on a struct, an enum or a trait; for the impl of a gateway write `#[rpc(\"package\")]`",
            );
            None
        }
    }
}

/// Reads the impl below `#[rpc(arguments)]`.
pub fn rpc(arguments: TokenStream, item: &syn::ItemImpl, errors: &mut Errors) -> Option<Item> {
    service::parse_impl(arguments, item, errors).map(Item::Service)
}

/// The path of an attribute without its arguments: `contract`, also when written `rpc_runtime::contract`.
pub fn attribute_name(attribute: &Attribute) -> Option<String> {
    attribute
        .path()
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
}

/// The tokens between an attribute's parentheses; none for `#[contract]`.
pub fn attribute_arguments(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

/// What a diagnostic about a whole item points at: its name.
pub fn name_tokens(item: &syn::Item) -> TokenStream {
    match item {
        syn::Item::Struct(item) => item.ident.to_token_stream(),
        syn::Item::Enum(item) => item.ident.to_token_stream(),
        syn::Item::Trait(item) => item.ident.to_token_stream(),
        syn::Item::Const(item) => item.ident.to_token_stream(),
        syn::Item::Fn(item) => item.sig.ident.to_token_stream(),
        syn::Item::Impl(item) => item.self_ty.to_token_stream(),
        syn::Item::Mod(item) => item.ident.to_token_stream(),
        syn::Item::Static(item) => item.ident.to_token_stream(),
        syn::Item::TraitAlias(item) => item.ident.to_token_stream(),
        syn::Item::Type(item) => item.ident.to_token_stream(),
        syn::Item::Union(item) => item.ident.to_token_stream(),
        other => other.to_token_stream().into_iter().take(1).collect(),
    }
}

/// What all contracts have. `default_name` is the protobuf name where no key gives one.
fn common(
    keys: &mut Keys,
    attributes: &[Attribute],
    ident: &Ident,
    name: String,
    errors: &mut Errors,
) -> Common {
    let rust_name = names::plain(ident);
    if name.starts_with(&rust_name) && !names::is_proto_ident(&rust_name) {
        errors.at(
            ident,
            format!("protobuf's names are of letters, digits and `_`, all ASCII; rename `{rust_name}`"),
        );
    }
    let given = keys.has("package") || keys.broken;
    let package = match keys.string("package", "task", errors) {
        Some(package) => {
            check_package(&package, errors);
            package.value()
        }
        None => {
            if !given && keys.leading.is_none() {
                errors.at(
                    ident,
                    format!("`{ident}` does not say which protobuf package it is in; write `#[contract(package = \"…\")]`"),
                );
            }
            String::new()
        }
    };
    let proto_path = keys.string("proto_path", "protos/task/task.proto", errors).and_then(|path| {
        let value = path.value();
        let inside = !value.starts_with('/') && !value.split('/').any(|part| part == "..");
        if !inside || !value.ends_with(".proto") {
            errors.at(&path, "`proto_path` is a file below the crate that ends in `.proto`, like `protos/task/task.proto`");
            return None;
        }
        Some(value)
    });
    let removed = removed(keys, errors);
    Common {
        package,
        name,
        docs: docs(attributes),
        proto_path,
        removed,
        detached: keys.flag("detached", errors),
        deprecated: has_attribute(attributes, "deprecated"),
    }
}

/// A key that names a message, an enum or a service.
fn type_name(keys: &mut Keys, key: &str, example: &str, errors: &mut Errors) -> Option<String> {
    let given = keys.string(key, example, errors)?;
    let value = given.value();
    let camel = value.starts_with(|c: char| c.is_ascii_uppercase()) && !value.contains('_');
    if !names::is_proto_ident(&value) || !camel {
        errors.at(
            &given,
            format!(
                "`{value}` is no name for a {}; write letters and digits, like `{example}`",
                if key == "service" { "service" } else { "message" }
            ),
        );
    }
    Some(value)
}

/// `removed("OldMessage", "TaskService/OldMethod")`.
fn removed(keys: &mut Keys, errors: &mut Errors) -> Vec<String> {
    let mut removed = Vec::new();
    for expr in keys.list("removed", "\"OldMessage\"", errors) {
        let name = match &expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(name), ..
            }) => Some(name.value()),
            _ => None,
        };
        let name = name.filter(|name| {
            let (first, second) = name.split_once('/').unwrap_or((name, "_"));
            names::is_proto_ident(first) && names::is_proto_ident(second)
        });
        match name {
            Some(name) if removed.contains(&name) => {
                errors.at(&expr, "this is removed already; keep one of them");
            }
            Some(name) => removed.push(name),
            None => errors.at(
                &expr,
                "`removed` lists the names of what is gone, within the package: `removed(\"OldMessage\", \
                 \"TaskService/OldMethod\")`",
            ),
        }
    }
    removed
}

fn check_package(package: &LitStr, errors: &mut Errors) {
    let value = package.value();
    if !names::is_package(&value) {
        errors.at(
            package,
            format!(
                "`{value}` is no package name: write lower-case letters, digits and `_`, parts joined by dots, like \
                 `acme.task.v1`"
            ),
        );
    }
}

/// `event`, and the `channels = "room:{id}"` that it is for.
fn event(keys: &mut Keys, errors: &mut Errors) -> (bool, Option<String>) {
    let event = keys.flag("event", errors);
    if !event && !keys.broken {
        refuse_keys(
            keys,
            &["channels"],
            "says which channels an event is for; add `event`, or leave it out",
            errors,
        );
    }
    let channels = keys.string("channels", "room:{id}", errors);
    let channels = channels.filter(|pattern| {
        let mistake = channels::parse(&pattern.value()).err();
        if let Some(mistake) = &mistake {
            errors.at(pattern, mistake);
        }
        mistake.is_none()
    });
    (event, channels.map(|pattern| pattern.value()))
}

/// `auth` and every `guard = "…"`.
fn access(keys: &mut Keys, errors: &mut Errors) -> Access {
    let auth = keys.flag("auth", errors);
    let guards = keys
        .strings("guard", "admin", errors)
        .into_iter()
        .map(|guard| guard.value())
        .collect();
    Access { auth, guards }
}

/// `reserved(2, 5..=7, "old")`; the numbers lie within `bounds`, and none is named twice.
fn reserved(keys: &mut Keys, bounds: RangeInclusive<i64>, errors: &mut Errors) -> Reserved {
    let mut reserved = Reserved::default();
    for expr in keys.list("reserved", "2, \"old\"", errors) {
        let mut add = |from: i64, to: i64, errors: &mut Errors| {
            let twice = reserved
                .numbers
                .iter()
                .any(|(first, last)| from <= *last && *first <= to);
            if twice {
                errors.at(&expr, "this is reserved twice; keep one of them");
            } else if !bounds.contains(&from) || !bounds.contains(&to) {
                errors.at(
                    &expr,
                    format!(
                        "the numbers that can be reserved lie between {} and {}",
                        bounds.start(),
                        bounds.end()
                    ),
                );
            } else {
                reserved.numbers.push((from, to));
            }
        };
        match &expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(name), ..
            }) => {
                let value = name.value();
                if !names::is_proto_ident(&value) {
                    errors.at(
                        name,
                        format!("`{value}` is no name that a field or value could have had"),
                    );
                } else if reserved.names.contains(&value) {
                    errors.at(name, "this is reserved twice; keep one of them");
                } else {
                    reserved.names.push(value);
                }
            }
            Expr::Range(range) => match (
                range.start.as_deref().and_then(whole),
                range.end.as_deref().and_then(whole),
            ) {
                (Some(from), Some(to)) => {
                    let to = if matches!(range.limits, syn::RangeLimits::HalfOpen(_)) {
                        to - 1
                    } else {
                        to
                    };
                    if from > to {
                        errors.at(&expr, "this range is empty; write the lower end first");
                    } else {
                        add(from, to, errors);
                    }
                }
                _ => errors.at(&expr, "a reserved range has both ends: `5..=7`"),
            },
            other => match whole(other) {
                Some(number) => add(number, number, errors),
                None => errors.at(
                    &expr,
                    "`reserved` takes numbers, ranges and names: `reserved(2, 5..=7, \"old\")`",
                ),
            },
        }
    }
    reserved.numbers.sort_unstable();
    reserved.names.sort_unstable();
    reserved
}

/// A whole literal number, with its sign.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(value), ..
        }) => value.base10_parse().ok(),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => whole(expr).map(|value| -value),
        Expr::Group(group) => whole(&group.expr),
        Expr::Paren(paren) => whole(&paren.expr),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
