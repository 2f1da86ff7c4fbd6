//! The way of an item: parse, check, emit. Errors are collected on the way and emitted beside the item.

use crate::{check, enumeration, gateway, hollow, message, oneof, reemit, service_trait};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use rpc_schema::diagnostics::Errors;
use rpc_schema::model::Item;
use rpc_schema::parse;

/// Expands `#[contract(arguments)] item`.
pub(crate) fn contract(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut item: syn::Item = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => return with_error(item, &error),
    };
    let mut errors = Errors::new();
    parse::refuse_misplaced(&item, None, &mut errors);
    let parsed = parse::contract(arguments, &item, &mut errors);
    let open = matches!(&parsed, Some(Item::Enum(found)) if found.other.is_some());
    let plain = matches!(&parsed, Some(Item::Enum(_)));
    let sound = errors.is_empty();
    reemit::strip(&mut item, open, sound);
    if sound {
        reemit::add_derives(&mut item, plain);
    }
    if let syn::Item::Trait(item) = &mut item {
        service_trait::desugar(item);
    }
    let expansion = match (&parsed, sound) {
        (Some(Item::Message(found)), true) if found.oneof => oneof::expand(found, &item),
        (Some(Item::Message(found)), true) => message::expand(found, &item),
        (Some(Item::Enum(found)), true) => enumeration::expand(found, &item),
        (Some(Item::Service(service)), true) => service_trait::check_messages(service),
        (Some(Item::Service(_)), false) => TokenStream::new(),
        _ => hollow::expand(&item, plain),
    };
    let checks = match (&parsed, sound) {
        (Some(parsed), true) => check::emit(parsed),
        _ => TokenStream::new(),
    };
    let errors = errors.to_compile_errors();
    quote! { #item #expansion #checks #errors }
}

/// Expands `#[rpc(arguments)] item`.
pub(crate) fn rpc(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse2(item.clone());
    let mut errors = Errors::new();
    if let Ok(item) = &parsed {
        parse::refuse_misplaced(item, None, &mut errors);
    }
    let mut block = match parsed {
        Ok(syn::Item::Impl(block)) => block,
        Ok(other) => {
            let error = syn::Error::new_spanned(
                parse::name_tokens(&other),
                "`#[rpc]` stands on an impl: `impl TaskGateway { … }`",
            );
            return with_error(item, &error);
        }
        Err(error) => return with_error(item, &error),
    };
    let (generated, arguments) = gateway::take_generated(arguments);
    let parsed = parse::rpc(arguments, &block, &mut errors);
    reemit::strip_impl(&mut block);
    let (expansion, checks) = match (&parsed, errors.is_empty()) {
        (Some(found @ Item::Service(service)), true) => {
            let checks = if generated {
                TokenStream::new()
            } else {
                check::emit(found)
            };
            (gateway::expand(service, &block), checks)
        }
        _ => (gateway::hollow(&block), TokenStream::new()),
    };
    let errors = errors.to_compile_errors();
    quote! { #block #expansion #checks #errors }
}

/// `#[message]` where nothing reads it.
pub(crate) fn stray_message(item: TokenStream) -> TokenStream {
    let error = syn::Error::new(
        proc_macro2::Span::call_site(),
        "`#[message]` stands on the handlers of an impl with `#[rpc(\"package\")]`, or on the methods of a trait with \
         `#[contract(…)]`; put one of them on the block around this",
    );
    with_error(item, &error)
}

fn with_error(item: TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let item = item.into_token_stream();
    quote! { #item #error }
}
