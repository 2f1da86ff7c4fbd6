//! Implementations without content, for an item with mistakes: what uses it still compiles, so that only the mistakes
//! are reported. Nothing is derived, because a field of a wrong type would be reported once for each derive.

use crate::reemit::{derives_default, missing_derives};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, Generics, Ident, Item, ItemEnum, WhereClause, parse_quote};

/// The hollow implementations of a struct or an enum; `plain` says that it was read as an enum without data.
pub(crate) fn expand(item: &Item, plain: bool) -> TokenStream {
    let (ident, generics, attributes) = match item {
        Item::Struct(item) => (&item.ident, &item.generics, &item.attrs),
        Item::Enum(item) => (&item.ident, &item.generics, &item.attrs),
        _ => return TokenStream::new(),
    };
    let plain = plain && matches!(item, Item::Enum(item) if holds_numbers_only(item));
    let place = Place::new(ident, generics);
    let default = (!derives_default(item)).then(|| {
        place.implement(
            quote!(::core::default::Default),
            quote! { fn default() -> Self { ::core::unreachable!() } },
        )
    });
    let derives = missing_derives(attributes, plain)
        .into_iter()
        .map(|name| derive(&place, name));
    let contract = if plain {
        enumeration(&place)
    } else {
        message(&place)
    };
    quote! { #default #(#derives)* #contract }
}

/// Whether an enum can be `Copy` whatever else is wrong with it.
fn holds_numbers_only(item: &ItemEnum) -> bool {
    item.variants.iter().all(|variant| match &variant.fields {
        Fields::Unit => true,
        Fields::Unnamed(fields) => fields
            .unnamed
            .iter()
            .all(|field| matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("i32"))),
        Fields::Named(_) => false,
    })
}

/// What stands around the items of every implementation.
struct Place<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    /// The user's, and for a generic item that it can cross threads, which contracts must.
    bounds: Option<WhereClause>,
}

impl<'a> Place<'a> {
    fn new(ident: &'a Ident, generics: &'a Generics) -> Self {
        let mut bounds = generics.where_clause.clone();
        if !generics.params.is_empty() {
            let clause = bounds.get_or_insert_with(|| parse_quote!(where));
            clause
                .predicates
                .push(parse_quote!(Self: ::core::marker::Send + ::core::marker::Sync));
        }
        Self {
            ident,
            generics,
            bounds,
        }
    }

    fn implement(&self, of: TokenStream, items: TokenStream) -> TokenStream {
        let (generics, arguments, _) = self.generics.split_for_impl();
        let (ident, bounds) = (self.ident, &self.bounds);
        quote! { impl #generics #of for #ident #arguments #bounds { #items } }
    }
}

fn derive(place: &Place<'_>, name: &str) -> TokenStream {
    match name {
        "Clone" => place.implement(
            quote!(::core::clone::Clone),
            quote! { fn clone(&self) -> Self { ::core::unreachable!() } },
        ),
        "PartialEq" => place.implement(
            quote!(::core::cmp::PartialEq),
            quote! { fn eq(&self, _: &Self) -> bool { ::core::unreachable!() } },
        ),
        "Debug" => place.implement(
            quote!(::core::fmt::Debug),
            quote! {
                fn fmt(&self, _: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::unreachable!()
                }
            },
        ),
        "Copy" => place.implement(quote!(::core::marker::Copy), TokenStream::new()),
        _ => place.implement(quote!(::core::cmp::Eq), TokenStream::new()),
    }
}

fn enumeration(place: &Place<'_>) -> TokenStream {
    let field = place.implement(
        quote!(::rpc_runtime::codegen::ContractField),
        quote! { ::rpc_runtime::codegen::enum_field!(); },
    );
    let contract = place.implement(
        quote!(::rpc_runtime::codegen::ContractEnum),
        quote! {
            const FULL_NAME: &'static str = "";
            fn number(self) -> i32 { ::core::unreachable!() }
            fn from_number(_: i32) -> ::core::option::Option<Self> { ::core::unreachable!() }
            fn descriptor() -> &'static ::rpc_runtime::codegen::EnumDescriptor { ::core::unreachable!() }
        },
    );
    quote! { #field #contract }
}

fn message(place: &Place<'_>) -> TokenStream {
    let message = place.implement(
        quote!(::rpc_runtime::codegen::Message),
        quote! {
            fn encode_raw(&self, _: &mut impl ::rpc_runtime::codegen::BufMut) { ::core::unreachable!() }
            fn merge_field(
                &mut self,
                _: u32,
                _: ::rpc_runtime::codegen::WireType,
                _: &mut impl ::rpc_runtime::codegen::Buf,
                _: ::rpc_runtime::codegen::DecodeContext,
            ) -> ::core::result::Result<(), ::rpc_runtime::codegen::DecodeError> {
                ::core::unreachable!()
            }
            fn encoded_len(&self) -> usize { ::core::unreachable!() }
            fn clear(&mut self) { ::core::unreachable!() }
        },
    );
    let field = place.implement(
        quote!(::rpc_runtime::codegen::ContractField),
        quote! { ::rpc_runtime::codegen::message_field!(); },
    );
    let contract = place.implement(
        quote!(::rpc_runtime::codegen::Contract),
        quote! {
            const FULL_NAME: &'static str = "";
            fn descriptor() -> &'static ::rpc_runtime::codegen::MessageDescriptor { ::core::unreachable!() }
        },
    );
    // Whether it was to be an event may be what is wrong with it; one that borrows cannot be.
    let event = place
        .generics
        .params
        .is_empty()
        .then(|| place.implement(quote!(::rpc_runtime::codegen::Event), TokenStream::new()));
    quote! { #message #field #contract #event }
}
