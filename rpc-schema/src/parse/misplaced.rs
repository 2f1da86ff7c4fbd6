//! Our attributes where nothing reads them. Each is refused: they are taken away when the item is emitted again, and what they
//! say would be lost without a word. What stands in the bodies of functions belongs to the items that are there.

use super::{attribute_name, hides_a_fact};
use crate::diagnostics::Errors;
use syn::{Attribute, FnArg, ImplItem, Item, Signature, TraitItem};

/// What attributes stand on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A contract, or the impl of a gateway.
    Item,
    /// A field of a struct, or a variant of an enum.
    Member,
    /// What a variant holds.
    Held,
    Method,
    /// A method that no client calls, and other parts of a trait or an impl.
    Helper,
    Parameter,
}

/// Refuses what is misplaced on an item and in it. `own` is the `#[contract]` that the item is read by, where it is still there.
pub fn refuse_misplaced(item: &Item, own: Option<&Attribute>, errors: &mut Errors) {
    let mut on = |attributes: &[Attribute], place: Place| {
        for attribute in attributes {
            if !own.is_some_and(|own| std::ptr::eq(own, attribute)) {
                refuse(attribute, place, errors);
            }
        }
    };
    match item {
        Item::Struct(item) => {
            on(&item.attrs, Place::Item);
            item.fields
                .iter()
                .for_each(|field| on(&field.attrs, Place::Member));
        }
        Item::Enum(item) => {
            on(&item.attrs, Place::Item);
            for variant in &item.variants {
                on(&variant.attrs, Place::Member);
                variant
                    .fields
                    .iter()
                    .for_each(|field| on(&field.attrs, Place::Held));
            }
        }
        Item::Trait(item) => {
            on(&item.attrs, Place::Item);
            for member in &item.items {
                match member {
                    TraitItem::Fn(function) => {
                        on(&function.attrs, Place::Method);
                        on_parameters(&function.sig, &mut on);
                    }
                    TraitItem::Const(member) => on(&member.attrs, Place::Helper),
                    TraitItem::Type(member) => on(&member.attrs, Place::Helper),
                    _ => {}
                }
            }
        }
        Item::Impl(item) => {
            for member in &item.items {
                match member {
                    ImplItem::Fn(function) if is_handler(&function.attrs) => {
                        on(&function.attrs, Place::Method);
                        on_parameters(&function.sig, &mut on);
                    }
                    ImplItem::Fn(function) => {
                        on(&function.attrs, Place::Helper);
                        on_parameters(&function.sig, &mut on);
                    }
                    ImplItem::Const(member) => on(&member.attrs, Place::Helper),
                    ImplItem::Type(member) => on(&member.attrs, Place::Helper),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn on_parameters(signature: &Signature, on: &mut impl FnMut(&[Attribute], Place)) {
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => on(&receiver.attrs, Place::Parameter),
            FnArg::Typed(parameter) => on(&parameter.attrs, Place::Parameter),
        }
    }
}

/// Whether clients call a function of a gateway's impl.
pub(super) fn is_handler(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|attribute| attribute_name(attribute).as_deref() == Some("message"))
}

fn refuse(attribute: &Attribute, place: Place, errors: &mut Errors) {
    let name = attribute_name(attribute);
    let advice = match (name.as_deref(), place) {
        (Some("field"), Place::Member) | (Some("message"), Place::Method) => return,
        (Some("contract"), Place::Item) => "this has a `#[contract]` already; put the keys of both into one",
        (Some("contract"), _) => {
            "`#[contract]` stands on the item itself; on a field or a variant it is `#[field(…)]`, on a method `#[message(…)]`"
        }
        (Some("field"), Place::Held) => {
            "`#[field]` stands on the variant, not on what it holds; move it there"
        }
        (Some("field"), Place::Parameter) => {
            "a parameter has no rules of its own; make a contract of what the method is given, with `#[field(…)]` on its fields"
        }
        (Some("field"), _) => "`#[field]` stands on a field of a struct, or on a variant; move it there",
        (Some("message"), _) => {
            "`#[message]` stands on a method; on a field or a variant it is `#[field(…)]`"
        }
        // Elsewhere that is refused with all else that a `cfg` decides.
        _ if hides_a_fact(attribute) && matches!(place, Place::Held | Place::Parameter | Place::Helper) => {
            "what is on the wire must not depend on how one side was compiled; write the attribute without `cfg_attr`"
        }
        _ => return,
    };
    errors.at(attribute, advice);
}
