//! What the build script has to say about a contract, said at the contract.
//!
//! The build script cannot point into the source, so it leaves what it found in environment variables of this
//! compilation, and the constants emitted here read them: one for the item (was it read at all, and did the build script
//! see the same facts?) and one for each of its parts (drift from the committed schema).

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use rpc_schema::fingerprint::fingerprint;
use rpc_schema::model::Item;
use rpc_schema::names::fnv1a64;

/// The checks of one item; none for a detached one.
pub(crate) fn emit(item: &Item) -> TokenStream {
    let common = item.common();
    if common.detached {
        return TokenStream::new();
    }
    let full_name = common.full_name();
    let mut checks = whole(&full_name, &fingerprint(item), item.ident().span());
    let mut part = |name: &str, span: Span| checks.extend(problem(&format!("{full_name}.{name}"), span));
    match item {
        Item::Message(message) => message
            .fields
            .iter()
            .for_each(|field| part(&field.name, field.span)),
        Item::Enum(item) => item.values.iter().for_each(|value| part(&value.name, value.span)),
        Item::Service(service) => service
            .methods
            .iter()
            .for_each(|method| part(&method.name, method.span)),
    }
    checks
}

/// The item as a whole.
fn whole(full_name: &str, fingerprint: &str, span: Span) -> TokenStream {
    let hash = fnv1a64(full_name);
    let seen = format!("RPC_CONTRACT_{hash:016x}");
    let error = format!("RPC_ERROR_{hash:016x}");
    quote_spanned! {span=>
        const _: () = match ::rpc_runtime::codegen::contract_problem(
            ::core::option_env!("RPC_BUILD"),
            ::core::option_env!(#seen),
            #fingerprint,
            ::core::option_env!(#error),
        ) {
            ::core::option::Option::Some(problem) => ::core::panic!("{}", problem),
            ::core::option::Option::None => {}
        };
    }
}

/// A field, value or method.
fn problem(key: &str, span: Span) -> TokenStream {
    let error = format!("RPC_ERROR_{:016x}", fnv1a64(key));
    quote_spanned! {span=>
        const _: () = match ::core::option_env!(#error) {
            ::core::option::Option::Some(problem) => ::core::panic!("{}", problem),
            ::core::option::Option::None => {}
        };
    }
}
