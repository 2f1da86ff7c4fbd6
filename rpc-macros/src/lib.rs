//! The attributes `#[contract]`, `#[rpc]` and `#[message]`, and the derive `Events`.
//!
//! Use them through `rpc_runtime`, which re-exports them and documents them with examples. Each is a thin shell: it
//! hands the item to `rpc_schema`, which reads and checks it, and then expands what was found. The user's item is
//! always emitted again, also when it has mistakes, so that one mistake does not cascade into a dozen.

mod calls;
mod check;
mod descriptor;
mod enumeration;
mod events;
mod expand;
mod gateway;
mod hollow;
mod message;
mod oneof;
mod reemit;
mod service_trait;

use proc_macro::TokenStream;

#[allow(missing_docs, reason = "rpc_runtime documents it, where its examples compile")]
#[proc_macro_attribute]
pub fn contract(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::contract(arguments.into(), item.into()).into()
}

#[allow(missing_docs, reason = "rpc_runtime documents it, where its examples compile")]
#[proc_macro_attribute]
pub fn rpc(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::rpc(arguments.into(), item.into()).into()
}

#[allow(missing_docs, reason = "rpc_runtime documents it, where its examples compile")]
#[proc_macro_attribute]
pub fn message(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::stray_message(item.into()).into()
}

#[allow(missing_docs, reason = "rpc_runtime documents it, where its examples compile")]
#[proc_macro_derive(Events, attributes(events))]
pub fn events(item: TokenStream) -> TokenStream {
    events::expand(item.into()).into()
}
