//! `#[contract]` on an enum: without data a protobuf enum, with data a message that holds one oneof.

use super::{
    attribute_keys, attribute_name, common, docs, event, field, has_attribute, refuse_cfg, refuse_generics,
    refuse_keys, reserved, type_name,
};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Enum, EnumValue, Item, Message};
use crate::names;
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use syn::{Fields, Ident, ItemEnum, Type, Variant};

/// Reads an enum.
pub(super) fn parse(keys: &mut Keys, item: &ItemEnum, errors: &mut Errors) -> Option<Item> {
    let name = type_name(keys, "message", "Shape", errors).unwrap_or_else(|| names::plain(&item.ident));
    refuse_keys(
        keys,
        &["controller", "operations", "auth", "guard"],
        "is about a service, and needs a struct or a trait",
        errors,
    );
    refuse_keys(
        keys,
        &["changes"],
        "is about a controller, and needs a struct",
        errors,
    );
    let has_data = item
        .variants
        .iter()
        .any(|variant| !matches!(variant.fields, Fields::Unit) && !is_other(variant));
    let common = common(keys, &item.attrs, &item.ident, name, errors);
    let bounds = if has_data {
        1..=field::MAX_NUMBER
    } else {
        i64::from(i32::MIN)..=i64::from(i32::MAX)
    };
    let reserved = reserved(keys, bounds, errors);
    if !has_data {
        refuse_keys(
            keys,
            &["event", "channels"],
            "is for messages, which an enum without data is not",
            errors,
        );
    }
    if refuse_generics(&item.generics, "contract", errors) {
        return None;
    }
    if has_data {
        let (event, channels) = event(keys, errors);
        let mut message = Message {
            ident: item.ident.clone(),
            common,
            fields: Vec::new(),
            skipped: Vec::new(),
            unset: None,
            oneof: true,
            unit: false,
            reserved,
            crud: None,
            event,
            channels,
        };
        parse_members(&mut message, item, errors);
        Some(Item::Message(message))
    } else {
        let mut parsed = Enum {
            ident: item.ident.clone(),
            common,
            values: Vec::new(),
            other: None,
            reserved,
        };
        parse_values(&mut parsed, item, errors);
        Some(Item::Enum(parsed))
    }
}

/// Whether `#[field(other)]` stands on the variant.
fn is_other(variant: &Variant) -> bool {
    let mut ignored = Errors::new();
    attribute_keys("field", &field::FIELD_KEYS, &variant.attrs, &mut ignored)
        .span("other")
        .is_some()
}

fn parse_values(parsed: &mut Enum, item: &ItemEnum, errors: &mut Errors) {
    let prefix = parsed.value_prefix();
    let mut next = Some(0);
    let mut taken: BTreeMap<i32, Ident> = BTreeMap::new();
    for variant in &item.variants {
        refuse_cfg(&variant.attrs, errors);
        let mut keys = attribute_keys("field", &field::FIELD_KEYS, &variant.attrs, errors);
        let known = ["rename", "deprecated", "other"];
        let unknown: Vec<&str> = field::FIELD_KEYS
            .into_iter()
            .filter(|key| !known.contains(key))
            .collect();
        refuse_keys(
            &keys,
            &unknown,
            "is for fields; a value's number is its discriminant: `High = 2`",
            errors,
        );
        if keys.flag("other", errors) {
            parse_other(parsed, variant, errors);
            continue;
        }
        let number = match &variant.discriminant {
            Some((_, expr)) => {
                let number = field::discriminant(expr);
                if number.is_none() {
                    errors.at(expr, "a value's number is a literal that is an `i32`");
                }
                number
            }
            None => next,
        };
        let Some(number) = number else { continue };
        next = number.checked_add(1);
        let place = match &variant.discriminant {
            Some((_, expr)) => expr.to_token_stream(),
            None => variant.ident.to_token_stream(),
        };
        if parsed.reserved.has_number(i64::from(number)) {
            errors.at(
                &place,
                format!("number {number} is reserved: it was another value's, and old clients still read it as that; take another"),
            );
        }
        if let Some(first) = taken.get(&number) {
            errors.at(
                &place,
                format!("number {number} is `{first}`'s already; take another"),
            );
        }
        taken.insert(number, variant.ident.clone());
        let own = match keys.string("rename", "HIGH", errors) {
            Some(name) => name.value(),
            None => names::shouty_snake_case(&names::plain(&variant.ident)),
        };
        let name = format!("{prefix}{own}");
        if !names::is_proto_ident(&name) {
            errors.at(
                &variant.ident,
                format!("`{name}` is no name for a value; write letters, digits and `_`, or `#[field(rename = \"…\")]`"),
            );
        }
        if let Some(first) = parsed.values.iter().find(|value| value.name == name) {
            errors.at(
                &variant.ident,
                format!(
                    "`{}` and `{}` are both the value `{name}`; rename one",
                    first.ident, variant.ident
                ),
            );
        }
        if parsed.reserved.has_name(&name) {
            errors.at(
                &variant.ident,
                format!("the name `{name}` is reserved: it was another value's; take another"),
            );
        }
        parsed.values.push(EnumValue {
            ident: variant.ident.clone(),
            name,
            number,
            docs: docs(&variant.attrs),
            deprecated: keys.flag("deprecated", errors) || has_attribute(&variant.attrs, "deprecated"),
            span: variant.ident.span(),
        });
    }
    if !taken.contains_key(&0) {
        errors.at(
            &item.ident,
            format!(
                "`{}` has no value with the number 0, which is what an absent field reads as; add one first, like `Unspecified`",
                item.ident
            ),
        );
    }
    if derives(item, "Default") {
        let zero = parsed
            .values
            .iter()
            .find(|value| value.number == 0)
            .map(|value| value.ident.to_string());
        let marked = item
            .variants
            .iter()
            .find(|variant| has_attribute(&variant.attrs, "default"));
        if let (Some(zero), Some(marked)) = (zero, marked)
            && marked.ident != zero
        {
            errors.at(
                    &marked.ident,
                    format!("the default is what an absent field reads as, which is number 0, `{zero}`; move `#[default]` there"),
                );
        }
    }
}

fn parse_other(parsed: &mut Enum, variant: &Variant, errors: &mut Errors) {
    let holds_number = match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
            matches!(&fields.unnamed[0].ty, Type::Path(path) if path.path.is_ident("i32"))
        }
        _ => false,
    };
    if !holds_number {
        let (name, fields) = (&variant.ident, &variant.fields);
        errors.at(
            quote!(#name #fields),
            format!(
                "the variant for unknown numbers keeps the number; write `{}(i32)`",
                variant.ident
            ),
        );
    }
    if let Some(first) = &parsed.other {
        errors.at(&variant.ident, format!("`{first}` keeps unknown numbers already"));
    }
    parsed.other = Some(variant.ident.clone());
}

fn parse_members(message: &mut Message, item: &ItemEnum, errors: &mut Errors) {
    let mut sources = Vec::new();
    let marked = item
        .variants
        .iter()
        .any(|variant| has_attribute(&variant.attrs, "default"));
    for variant in &item.variants {
        if has_attribute(&variant.attrs, "default") {
            refuse_cfg(&variant.attrs, errors);
            let keys = variant
                .attrs
                .iter()
                .filter(|attribute| attribute_name(attribute).as_deref() == Some("field"));
            for attribute in keys {
                errors.at(
                    attribute,
                    "the default stands for nothing set, and is no field; leave this out",
                );
            }
            if matches!(variant.fields, Fields::Unit) {
                message.unset = Some(variant.ident.clone());
            } else {
                errors.at(
                    &variant.ident,
                    "the default stands for nothing set, so it has no data; write `#[default] Unset`",
                );
            }
            continue;
        }
        if let Some((_, discriminant)) = &variant.discriminant {
            errors.at(
                discriminant,
                "a member of a oneof has a field number: `#[field(tag = …)]`",
            );
        }
        match &variant.fields {
            Fields::Unit => sources.push(field::Source::of_variant(variant, None)),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                sources.push(field::Source::of_variant(variant, Some(&fields.unnamed[0].ty)));
            }
            fields => errors.at(
                fields,
                format!(
                    "a member of a oneof is one value; make a contract for these and write `{}(…)`",
                    variant.ident
                ),
            ),
        }
    }
    if !marked {
        errors.at(
            &item.ident,
            format!(
                "`{}` needs a variant for nothing set, which is also what a member that this side does not know reads as; add \
                 `#[default] Unset`",
                item.ident
            ),
        );
    }
    field::parse_all(message, sources.into_iter(), errors);
}

/// Whether `#[derive(…)]` on the item names a trait.
pub(crate) fn derives(item: &ItemEnum, name: &str) -> bool {
    item.attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
        .any(|attribute| {
            let mut found = false;
            let _ = attribute.parse_nested_meta(|meta| {
                found |= meta
                    .path
                    .segments
                    .last()
                    .is_some_and(|segment| segment.ident == name);
                Ok(())
            });
            found
        })
}
