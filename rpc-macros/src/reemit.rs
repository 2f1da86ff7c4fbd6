//! Emits the user's item again: without our attributes, with the derives that it lacks.

use proc_macro2::TokenStream;
use quote::quote;
use rpc_schema::parse::{attribute_name, hides_a_fact};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Block, Item, ItemImpl, parse_quote};

/// Removes `#[field]`, `#[message]` and whatever other `#[contract]`s there are; on an open enum the discriminants (a
/// variant with data forbids them), and on an enum with data the `#[default]` that only a derive would read. An enum with
/// mistakes (`sound` is false) loses its discriminants too, about which rustc would complain a second time.
pub(crate) fn strip(item: &mut Item, open: bool, sound: bool) {
    Strip.visit_item_mut(item);
    let Item::Enum(item) = item else { return };
    let has_data = item
        .variants
        .iter()
        .any(|variant| !matches!(variant.fields, syn::Fields::Unit));
    if open || !sound {
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

/// What is removed was read, or was refused.
struct Strip;

impl VisitMut for Strip {
    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        attributes.retain(|attribute| {
            let name = attribute_name(attribute);
            let ours = matches!(name.as_deref(), Some("contract" | "field" | "message"));
            !ours && !hides_a_fact(attribute)
        });
    }

    /// What stands in a function's body is another item's, and read when that is expanded.
    fn visit_block_mut(&mut self, _: &mut Block) {}
}

/// What a contract derives unless the user does. `plain` says that it is an enum without data.
pub(crate) fn missing_derives(attributes: &[Attribute], plain: bool) -> Vec<&'static str> {
    let wanted: &[&str] = if plain {
        &["Clone", "Copy", "PartialEq", "Eq", "Debug"]
    } else {
        &["Clone", "PartialEq", "Debug"]
    };
    let present = derived(attributes);
    let missing = wanted
        .iter()
        .filter(|name| !present.iter().any(|one| one == *name));
    missing.copied().collect()
}

/// Adds the derives of a contract that the user did not write.
pub(crate) fn add_derives(item: &mut Item, plain: bool) {
    let attributes = match item {
        Item::Struct(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        _ => return,
    };
    let missing = missing_derives(attributes, plain).into_iter().map(|name| {
        let ident = syn::Ident::new(name, proc_macro2::Span::call_site());
        match name {
            "Clone" => quote!(::core::clone::Clone),
            "Copy" => quote!(::core::marker::Copy),
            "Debug" => quote!(::core::fmt::Debug),
            _ => quote!(::core::cmp::#ident),
        }
    });
    let missing: Vec<TokenStream> = missing.collect();
    if !missing.is_empty() {
        attributes.push(parse_quote!(#[derive(#(#missing),*)]));
        // A contract may get a field that has no `Eq`, such as a float, and who uses it must not break then.
        attributes.push(parse_quote!(#[allow(clippy::derive_partial_eq_without_eq)]));
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
