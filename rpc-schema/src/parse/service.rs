//! `#[contract]` on a trait, and `#[rpc]` on the impl of a gateway.

use super::{
    access, check_package, common, method, misplaced::is_handler, refuse_cfg, refuse_generics, refuse_keys,
    type_name,
};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Common, Method, Origin, Service};
use crate::names;
use proc_macro2::TokenStream;
use std::collections::BTreeMap;
use syn::{ImplItem, ItemImpl, ItemTrait, TraitItem, Type};

/// The keys of `#[rpc("package", …)]`.
const RPC_KEYS: [&str; 6] = ["proto_path", "auth", "guard", "removed", "detached", "service"];

/// Reads a trait.
pub(super) fn parse_trait(keys: &mut Keys, item: &ItemTrait, errors: &mut Errors) -> Option<Service> {
    refuse_keys(
        keys,
        &[
            "controller",
            "operations",
            "message",
            "event",
            "channels",
            "changes",
            "reserved",
        ],
        "is for structs; a trait gives a service, which is named for the trait",
        errors,
    );
    let name = service_name(&names::plain(&item.ident));
    let common = common(keys, &item.attrs, &item.ident, name, errors);
    let access = access(keys, errors);
    if refuse_generics(&item.generics, "trait", errors) {
        return None;
    }
    let mut methods = Vec::new();
    for member in &item.items {
        match member {
            TraitItem::Fn(function) => {
                refuse_cfg(&function.attrs, errors);
                if let Some(body) = &function.default {
                    errors.at(
                        body,
                        "a contract says what can be called, not how; move the body to the implementation",
                    );
                }
                methods.extend(method::parse(
                    &function.sig,
                    &function.attrs,
                    method::Place::Trait,
                    errors,
                ));
            }
            other => errors.at(
                other,
                "a trait contract has methods only; move this to a trait of its own",
            ),
        }
    }
    check_names(&common, &methods, errors);
    Some(Service {
        ident: item.ident.clone(),
        common,
        methods,
        access,
        origin: Origin::Trait,
    })
}

/// Reads the impl of a gateway.
pub(super) fn parse_impl(arguments: TokenStream, item: &ItemImpl, errors: &mut Errors) -> Option<Service> {
    let mut keys = Keys::parse("rpc", &RPC_KEYS, arguments, errors);
    let Type::Path(path) = item.self_ty.as_ref() else {
        errors.at(
            &item.self_ty,
            "`#[rpc]` stands on the impl of a struct: `impl TaskGateway { … }`",
        );
        return None;
    };
    if let Some((_, of, _)) = &item.trait_ {
        errors.at(
            of,
            "`#[rpc]` stands on an inherent impl: `impl TaskGateway { … }`",
        );
        return None;
    }
    let ident = path.path.segments.last()?.ident.clone();
    let package = keys.leading.clone();
    if package.is_none() && !keys.broken {
        errors.at(
            &ident,
            "`#[rpc]` does not say which protobuf package it is in; write `#[rpc(\"…\")]`",
        );
    }
    let name = type_name(&mut keys, "service", "TaskService", errors)
        .unwrap_or_else(|| service_name(&names::plain(&ident)));
    // Where the package is missing, that is told above.
    keys.broken |= package.is_none();
    let mut common = common(&mut keys, &item.attrs, &ident, name, errors);
    if let Some(package) = package {
        check_package(&package, errors);
        common.package = package.value();
    }
    let access = access(&mut keys, errors);
    let mut methods = Vec::new();
    for member in &item.items {
        let ImplItem::Fn(function) = member else { continue };
        if is_handler(&function.attrs) {
            refuse_cfg(&function.attrs, errors);
            methods.extend(method::parse(
                &function.sig,
                &function.attrs,
                method::Place::Gateway,
                errors,
            ));
        }
    }
    if methods.is_empty() && errors.is_empty() {
        errors.at(
            &ident,
            "this gateway answers nothing; mark its handlers with `#[message(\"AddTaskRequest\")]`",
        );
    }
    check_names(&common, &methods, errors);
    Some(Service {
        ident,
        common,
        methods,
        access,
        origin: Origin::Gateway,
    })
}

/// `Ticker`, `TickerGateway` and `TickerService` are all `TickerService`.
fn service_name(rust: &str) -> String {
    let stem = rust
        .strip_suffix("Gateway")
        .or_else(|| rust.strip_suffix("Service"))
        .unwrap_or(rust);
    format!("{stem}Service")
}

fn check_names(common: &Common, methods: &[Method], errors: &mut Errors) {
    let mut names: BTreeMap<&str, &Method> = BTreeMap::new();
    let mut numbers: BTreeMap<u64, &Method> = BTreeMap::new();
    let full_name = |method: &Method| format!("{}/{}", common.full_name(), method.name);
    let by_name: BTreeMap<u64, &Method> = methods
        .iter()
        .map(|method| (names::fnv1a64(&full_name(method)), method))
        .collect();
    for method in methods {
        if let Some(first) = names.insert(&method.name, method) {
            errors.at_span(
                method.span,
                format!(
                    "`{}` and `{}` are both the method `{}`; give one another name with `#[message(name = \"…\")]`",
                    first.ident, method.ident, method.name
                ),
            );
            continue;
        }
        if common
            .removed
            .contains(&format!("{}/{}", common.name, method.name))
        {
            errors.at_span(
                method.span,
                format!(
                    "`{}` is declared as removed; old clients still call it as it was, so take another name",
                    method.name
                ),
            );
        }
        let own = method.options.number;
        let number = own.unwrap_or_else(|| names::fnv1a64(&full_name(method)));
        let named = by_name.get(&number).filter(|named| named.name != method.name);
        if let (Some(number), Some(named)) = (own, named) {
            errors.at_span(
                method.span,
                names::number_of_a_name(&method.name, number, &named.name),
            );
        } else if let Some(first) = numbers.insert(number, method) {
            errors.at_span(
                method.span,
                format!(
                    "`{}` and `{}` have the same method number {number:#x}; give one its own with `#[message(number = …)]`",
                    first.name, method.name
                ),
            );
        }
    }
}
