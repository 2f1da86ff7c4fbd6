//! Finds the contract of one item, if it has one, and hands it to pass 1.

use super::Scan;
use proc_macro2::{TokenStream, TokenTree};
use rpc_schema::diagnostics::Errors;
use rpc_schema::parse::{attribute_arguments, attribute_name};
use rpc_schema::resolve::ScannedItem;
use syn::{Attribute, Item};

/// Reads an item that may be a contract. `#[contract]`, `#[rpc_runtime::contract]` and `#[rpc]` are found by their last
/// segment.
///
/// `off` says that it is there with other features only, where no macro is going to report its mistakes.
pub(super) fn read(item: &Item, module: usize, off: bool, scan: &mut Scan) {
    let mut errors = Errors::new();
    let (arguments, parsed) = match item {
        Item::Impl(block) => {
            let Some(attribute) = find(&block.attrs, "rpc") else {
                return;
            };
            let arguments = attribute_arguments(attribute);
            if has_word(&arguments, "generated") {
                return;
            }
            rpc_schema::parse::refuse_misplaced(item, None, &mut errors);
            (
                arguments.clone(),
                rpc_schema::parse::rpc(arguments, block, &mut errors),
            )
        }
        Item::Struct(_) | Item::Enum(_) | Item::Trait(_) => {
            let Some(attribute) = find(attributes(item), "contract") else {
                return;
            };
            rpc_schema::parse::refuse_misplaced(item, Some(attribute), &mut errors);
            let arguments = attribute_arguments(attribute);
            (
                arguments.clone(),
                rpc_schema::parse::contract(arguments, item, &mut errors),
            )
        }
        _ => return,
    };
    if has_word(&arguments, "detached") {
        return;
    }
    if !errors.is_empty() {
        scan.broken = true;
        scan.mistakes.extend(errors.iter().map(ToString::to_string));
        if off {
            scan.errors.extend(errors.iter().map(|error| {
                format!("a contract behind a feature that is off in this build has a mistake: {error}")
            }));
        }
        let package = package(&arguments);
        if lacks_something(parsed.as_ref(), &arguments) {
            scan.incomplete |= package.is_none();
            scan.incomplete_packages.extend(package.clone());
        }
        scan.broken_packages.extend(package);
    }
    if let Some(item) = parsed {
        scan.off.push(off);
        scan.items.push(ScannedItem { item, module });
    }
}

/// Whether what is generated from an item with mistakes would lack names that other code uses.
fn lacks_something(parsed: Option<&rpc_schema::model::Item>, arguments: &TokenStream) -> bool {
    match parsed {
        Some(rpc_schema::model::Item::Message(message)) => {
            has_word(arguments, "controller")
                && (message.crud.is_none() || !message.fields.iter().any(|field| field.facts.id))
        }
        Some(_) => false,
        None => true,
    }
}

/// The attributes of the items that can be contracts, or modules.
pub(super) fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        _ => &[],
    }
}

/// The same, to evaluate `cfg`s in.
pub(super) fn attributes_mut(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    Some(match item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Trait(item) => &mut item.attrs,
        Item::Impl(item) => &mut item.attrs,
        Item::Mod(item) => &mut item.attrs,
        Item::Use(item) => &mut item.attrs,
        Item::ExternCrate(item) => &mut item.attrs,
        _ => return None,
    })
}

fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute_name(attribute).as_deref() == Some(name))
}

fn has_word(arguments: &TokenStream, word: &str) -> bool {
    arguments
        .clone()
        .into_iter()
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == word))
}

/// The package that an item with mistakes names: `package = "task"`, or the first literal of `#[rpc("task")]`.
fn package(arguments: &TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = arguments.clone().into_iter().collect();
    let literal = match tokens.first() {
        Some(TokenTree::Literal(literal)) => Some(literal),
        _ => tokens.windows(3).find_map(|window| match window {
            [
                TokenTree::Ident(key),
                TokenTree::Punct(_),
                TokenTree::Literal(literal),
            ] if key == "package" => Some(literal),
            _ => None,
        }),
    }?;
    let text: syn::LitStr = syn::parse_str(&literal.to_string()).ok()?;
    Some(text.value()).filter(|package| rpc_schema::names::is_package(package))
}
