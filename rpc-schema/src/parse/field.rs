//! A field of a struct, or a member of a oneof: its keys, its number, its rules.

use super::{attribute_keys, docs, has_attribute, refuse_cfg, refuse_keys, rules, whole};
use crate::diagnostics::Errors;
use crate::keys::Keys;
use crate::model::{Facts, Field, Message};
use crate::names;
use crate::types::{self, Cardinality, FieldType, Scalar, Value};
use proc_macro2::Span;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, Type};

/// The greatest field number: 2^29 − 1.
pub(super) const MAX_NUMBER: i64 = 536_870_911;

/// Numbers that protobuf keeps for itself.
const KEPT_BY_PROTOBUF: std::ops::RangeInclusive<i64> = 19_000..=19_999;

/// The keys of `#[field(…)]`.
pub(super) const FIELD_KEYS: [&str; 18] = [
    "tag",
    "id",
    "default",
    "unique",
    "index",
    "min_len",
    "max_len",
    "pattern",
    "range",
    "min_items",
    "max_items",
    "format",
    "required",
    "proto",
    "rename",
    "deprecated",
    "skip",
    "other",
];

/// What a field is read from.
pub(super) struct Source<'a> {
    ident: Ident,
    /// What its protobuf name is unless renamed.
    name: String,
    ty: Option<&'a Type>,
    attributes: &'a [Attribute],
    span: Span,
    member: bool,
}

impl<'a> Source<'a> {
    /// A named field.
    pub(super) fn of_field(field: &'a syn::Field) -> Self {
        let ident = field
            .ident
            .clone()
            .unwrap_or_else(|| Ident::new("_", field.span()));
        Self {
            name: names::plain(&ident),
            span: ident.span(),
            ident,
            ty: Some(&field.ty),
            attributes: &field.attrs,
            member: false,
        }
    }

    /// A variant, with its only field's type if it has one.
    pub(super) fn of_variant(variant: &'a syn::Variant, ty: Option<&'a Type>) -> Self {
        Self {
            ident: variant.ident.clone(),
            name: names::snake_case(&names::plain(&variant.ident)),
            ty,
            attributes: &variant.attrs,
            span: variant.ident.span(),
            member: true,
        }
    }
}

/// Reads all fields of a message, and numbers them.
pub(super) fn parse_all<'a>(
    message: &mut Message,
    sources: impl Iterator<Item = Source<'a>>,
    errors: &mut Errors,
) {
    let mut numbered = Vec::new();
    for source in sources {
        refuse_cfg(source.attributes, errors);
        let mut keys = attribute_keys("field", &FIELD_KEYS, source.attributes, errors);
        refuse_keys(
            &keys,
            &["other"],
            "marks the variant of an enum that keeps unknown numbers",
            errors,
        );
        if source.member {
            let why = "is for the fields of a struct, not for the members of a oneof";
            refuse_keys(
                &keys,
                &["id", "default", "unique", "index", "skip", "required"],
                why,
                errors,
            );
        }
        if keys.flag("skip", errors) && !source.member {
            message.skipped.push(source.ident);
            continue;
        }
        let tag = keys.integer("tag", "1", errors);
        if let Some(mut field) = parse(source, keys, errors) {
            if let Value::Named(path) = &mut field.ty.value
                && path.is_ident("Self")
            {
                *path = message.ident.clone().into();
            }
            numbered.push((tag, field));
        }
    }
    number(message, numbered, errors);
    check_names(message, errors);
}

/// Gives each field its number: the one it was given, else the next that is neither taken nor reserved, so that a field
/// that goes and is reserved leaves all others where they are.
fn number(message: &mut Message, fields: Vec<(Option<(u64, Span)>, Field)>, errors: &mut Errors) {
    let mut taken: BTreeMap<i64, Ident> = BTreeMap::new();
    for (tag, field) in &fields {
        let Some((number, span)) = tag else { continue };
        let number = i64::try_from(*number).unwrap_or(i64::MAX);
        if !(1..=MAX_NUMBER).contains(&number) {
            errors.at_span(*span, format!("a field number lies between 1 and {MAX_NUMBER}"));
        } else if KEPT_BY_PROTOBUF.contains(&number) {
            errors.at_span(
                *span,
                "protobuf keeps the numbers 19000 to 19999 for itself; take another",
            );
        } else if message.reserved.has_number(number) {
            errors.at_span(
                *span,
                format!("number {number} is reserved: it was another field's, and old clients still read it as that; take another"),
            );
        } else if let Some(first) = taken.get(&number) {
            errors.at_span(
                *span,
                format!("number {number} is `{first}`'s already; take another"),
            );
        } else {
            taken.insert(number, field.ident.clone());
        }
    }
    let mut next = 1;
    for (tag, mut field) in fields {
        let number = match tag {
            Some((number, span)) => {
                field.number_span = span;
                i64::try_from(number).unwrap_or(i64::MAX)
            }
            None => {
                while taken.contains_key(&next)
                    || message.reserved.has_number(next)
                    || KEPT_BY_PROTOBUF.contains(&next)
                {
                    next += 1;
                }
                taken.insert(next, field.ident.clone());
                next
            }
        };
        field.number = u32::try_from(number).unwrap_or(u32::MAX);
        message.fields.push(field);
    }
}

fn check_names(message: &Message, errors: &mut Errors) {
    let mut seen: BTreeMap<String, &Field> = BTreeMap::new();
    for field in &message.fields {
        if message.reserved.has_name(&field.name) {
            errors.at(
                &field.ident,
                format!("the name `{}` is reserved: it was another field's; take another, or `#[field(rename = \"…\")]`", field.name),
            );
        }
        if let Some(first) = seen.insert(names::json_name(&field.name), field) {
            errors.at(
                &field.ident,
                format!(
                    "`{}` and `{}` have the same name in JSON; rename one",
                    first.ident, field.ident
                ),
            );
        }
    }
}

fn parse(source: Source<'_>, mut keys: Keys, errors: &mut Errors) -> Option<Field> {
    let name = match keys.string("rename", "label", errors) {
        Some(name) => {
            let value = name.value();
            if !names::is_proto_ident(&value) || value.chars().any(|c| c.is_ascii_uppercase()) {
                errors.at(
                    &name,
                    format!("`{value}` is no field name; write lower-case letters, digits and `_`"),
                );
            }
            value
        }
        None => {
            if !names::is_proto_ident(&source.name) {
                errors.at(
                    &source.ident,
                    format!(
                        "protobuf's names are of letters, digits and `_`, all ASCII, and `{}` is not; add \
                         `#[field(rename = \"…\")]`",
                        source.name
                    ),
                );
            }
            source.name
        }
    };
    let deprecated = keys.flag("deprecated", errors) || has_attribute(source.attributes, "deprecated");
    let encoding = keys.string("proto", "sint32", errors);
    let ty = match source.ty {
        Some(ty) => types::parse_field_type(ty, errors),
        None => Some(FieldType {
            cardinality: Cardinality::Singular,
            value: Value::Unit,
            boxed: false,
            rust: syn::parse_quote!(()),
        }),
    };
    let facts = Facts {
        id: keys.flag("id", errors),
        unique: keys.flag("unique", errors),
        index: keys.flag("index", errors),
        default: keys.expr("default", "false", errors),
    };
    let mut ty = ty?;
    if source.member && !matches!(ty.cardinality, Cardinality::Singular) {
        errors.at(
            &ty.rust,
            "a member of a oneof is one value; put the list, map or option into a contract of its own",
        );
        return None;
    }
    if let Some(encoding) = encoding {
        apply_encoding(&mut ty, &encoding, errors);
    }
    let rules = rules::rules(&mut keys, &ty, errors);
    rules::check_facts(&facts, &ty, errors);
    Some(Field {
        ident: source.ident,
        name,
        number: 0,
        number_span: source.span,
        ty,
        unit_variant: source.member && source.ty.is_none(),
        docs: docs(source.attributes),
        facts,
        rules,
        deprecated,
        span: source.span,
    })
}

/// `proto = "sint32"`: another encoding of the same Rust type.
fn apply_encoding(ty: &mut FieldType, encoding: &syn::LitStr, errors: &mut Errors) {
    let Value::Scalar(natural) = ty.value else {
        errors.at(
            encoding,
            "`proto` chooses how a number is encoded; this is no number",
        );
        return;
    };
    match Scalar::from_proto_name(&encoding.value()) {
        Some(scalar) if scalar.rust_name() == natural.rust_name() => ty.value = Value::Scalar(scalar),
        _ => {
            let fitting: Vec<&str> = [
                "int32", "sint32", "sfixed32", "int64", "sint64", "sfixed64", "uint32", "fixed32", "uint64",
                "fixed64",
            ]
            .into_iter()
            .filter(|name| {
                Scalar::from_proto_name(name).is_some_and(|scalar| scalar.rust_name() == natural.rust_name())
            })
            .collect();
            let advice = match fitting.as_slice() {
                [] => format!("`{}` has one encoding; leave `proto` out", natural.rust_name()),
                fitting => format!("`{}` can be {}", natural.rust_name(), fitting.join(", ")),
            };
            errors.at(encoding, format!("`{}` does not fit: {advice}", encoding.value()));
        }
    }
}

/// The number of an enum's value, for `variants`.
pub(super) fn discriminant(expr: &Expr) -> Option<i32> {
    whole(expr).and_then(|value| i32::try_from(value).ok())
}
