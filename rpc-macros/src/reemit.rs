//! Emits the user's item again: without our attributes, with the derives that it lacks.

use proc_macro2::TokenStream;
use quote::quote;
use rpc_schema::parse::attribute_name;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Item, ItemImpl, parse_quote};

/// Removes `#[field]` and `#[message]`, on an open enum the discriminants (a variant with data forbids them), and on an
/// enum with data the `#[default]` that only a derive would read.
pub(crate) fn strip(item: &mut Item, open: bool) {
    Strip.visit_item_mut(item);
    let Item::Enum(item) = item else { return };
    let has_data = item
        .variants
        .iter()
        .any(|variant| !matches!(variant.fields, syn::Fields::Unit));
    if open {
        for variant in &mut item.variants {
            variant.discriminant = None;
        }
    }
    if has_data && !derived(&item.attrs).iter().any(|name| name == "Default") {
        for variant in &mut item.variants {
            variant
                .attrs
                .retain(|attribute| !attribute.path().is_ident("default"));
        }
    }
}

/// Removes `#[message]` from the functions of an impl.
pub(crate) fn strip_impl(block: &mut ItemImpl) {
    Strip.visit_item_impl_mut(block);
}

struct Strip;

impl VisitMut for Strip {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes
            .retain(|attribute| !matches!(attribute_name(attribute).as_deref(), Some("field" | "message")));
    }
}

/// Adds the derives of a contract that the user did not write.
pub(crate) fn add_derives(item: &mut Item) {
    let (attributes, wanted): (&mut Vec<Attribute>, &[&str]) = match item {
        Item::Struct(item) => (&mut item.attrs, &["Clone", "PartialEq", "Debug"]),
        Item::Enum(item) => {
            let data = item.variants.iter().any(|variant| match &variant.fields {
                syn::Fields::Unit => false,
                syn::Fields::Unnamed(fields) => !fields
                    .unnamed
                    .iter()
                    .all(|field| matches!(&field.ty, syn::Type::Path(path) if path.path.is_ident("i32"))),
                syn::Fields::Named(_) => true,
            });
            let wanted: &[&str] = if data {
                &["Clone", "PartialEq", "Debug"]
            } else {
                &["Clone", "Copy", "PartialEq", "Eq", "Debug"]
            };
            (&mut item.attrs, wanted)
        }
        _ => return,
    };
    let present = derived(attributes);
    let missing = wanted
        .iter()
        .filter(|name| !present.iter().any(|one| one == *name))
        .map(|name| {
            let name = syn::Ident::new(name, proc_macro2::Span::call_site());
            match name.to_string().as_str() {
                "Clone" => quote!(::core::clone::Clone),
                "Copy" => quote!(::core::marker::Copy),
                "Debug" => quote!(::core::fmt::Debug),
                _ => quote!(::core::cmp::#name),
            }
        });
    let missing: Vec<TokenStream> = missing.collect();
    if !missing.is_empty() {
        attributes.push(parse_quote!(#[derive(#(#missing),*)]));
    }
}

/// The last segments of all derived traits.
pub(crate) fn derived(attributes: &[Attribute]) -> Vec<String> {
    let mut names = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        // A derive that does not parse is rustc's to report.
        let _ = attribute.parse_nested_meta(|meta| {
            names.extend(meta.path.segments.last().map(|segment| segment.ident.to_string()));
            Ok(())
        });
    }
    names
}

/// Whether the user derives `Default`, so that none is emitted.
pub(crate) fn derives_default(item: &Item) -> bool {
    let attributes = match item {
        Item::Struct(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        _ => return false,
    };
    derived(attributes).iter().any(|name| name == "Default")
}

/// Implementations without content, for an item with mistakes: what uses it still compiles, so that only the mistakes
/// are reported.
pub(crate) fn hollow(item: &Item) -> TokenStream {
    let (ident, generics) = match item {
        Item::Struct(item) => (&item.ident, &item.generics),
        Item::Enum(item) => (&item.ident, &item.generics),
        _ => return TokenStream::new(),
    };
    if !generics.params.is_empty() {
        return TokenStream::new();
    }
    let default = (!derives_default(item)).then(|| {
        quote! {
            impl ::core::default::Default for #ident {
                fn default() -> Self { ::core::unreachable!() }
            }
        }
    });
    quote! {
        #default
        impl ::rpc_runtime::codegen::Message for #ident {
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
        }
        impl ::rpc_runtime::codegen::ContractField for #ident {
            ::rpc_runtime::codegen::message_field!();
        }
        impl ::rpc_runtime::codegen::Contract for #ident {
            const FULL_NAME: &'static str = "";
            fn descriptor() -> &'static ::rpc_runtime::codegen::MessageDescriptor { ::core::unreachable!() }
        }
    }
}
