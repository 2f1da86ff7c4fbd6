//! Reads types from tokens, and says what to write instead of one that cannot travel.

use super::{Cardinality, FieldType, Scalar, Value, text};
use crate::diagnostics::Errors;
use syn::{GenericArgument, PathArguments, Type, TypePath};

/// Reads a field's type; a mistake is reported at the part of the type that it lies in.
pub fn parse_field_type(ty: &Type, errors: &mut Errors) -> Option<FieldType> {
    let (name, arguments) = generic(ty).unwrap_or_default();
    let (cardinality, inner) = match (name.as_str(), arguments.as_slice()) {
        ("Option", [inner]) => (Cardinality::Optional, inner),
        ("Vec", [inner]) if !is_u8(inner) => (Cardinality::Repeated, inner),
        ("HashMap" | "BTreeMap", [key, value, ..]) => {
            let key = parse_map_key(key, errors)?;
            (
                Cardinality::Map {
                    key,
                    ordered: name == "BTreeMap",
                },
                value,
            )
        }
        _ => (Cardinality::Singular, ty),
    };
    if !matches!(cardinality, Cardinality::Singular) {
        check_nesting(&name, inner, errors)?;
    }
    let (wrapper, unboxed) = generic(inner).unwrap_or_default();
    let (boxed, inner) = match (wrapper.as_str(), unboxed.as_slice()) {
        ("Box", [unboxed]) => (true, unboxed),
        _ => (false, inner),
    };
    let value = parse_value(inner, errors)?;
    if boxed && !matches!(value, Value::Named(_)) {
        errors.at(
            inner,
            format!(
                "a `Box` is for contracts that contain themselves; write `{}`",
                text(inner)
            ),
        );
        return None;
    }
    if boxed && matches!(cardinality, Cardinality::Repeated | Cardinality::Map { .. }) {
        errors.at(
            ty,
            format!(
                "a list or map already stores its items apart; write `{}` without the `Box`",
                text(inner)
            ),
        );
        return None;
    }
    Some(FieldType {
        cardinality,
        value,
        boxed,
        rust: ty.clone(),
    })
}

/// Reads a type that stands alone, as a request, a response or a stream's item does.
pub fn parse_message_type(ty: &Type, errors: &mut Errors) -> Option<Value> {
    if let Some((name, _)) = generic(ty)
        && COLLECTIONS.contains(&name.as_str())
        && !is_byte_vec(ty)
    {
        errors.at(
            ty,
            format!(
                "a request, a response or an item of a stream is one message, not `{}`; \
                     make a contract that holds it: `pub struct … {{ pub items: {} }}`",
                text(ty),
                text(ty)
            ),
        );
        return None;
    }
    parse_value(ty, errors)
}

const COLLECTIONS: [&str; 5] = ["Option", "Vec", "HashMap", "BTreeMap", "Box"];

/// The last segment of a path type and its type arguments, if it has any.
fn generic(ty: &Type) -> Option<(String, Vec<Type>)> {
    let Type::Path(TypePath { qself: None, path }) = ty else {
        return None;
    };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    let types = arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        })
        .collect();
    Some((last.ident.to_string(), types))
}

fn is_u8(ty: &Type) -> bool {
    matches!(ty, Type::Path(TypePath { qself: None, path }) if path.is_ident("u8"))
}

fn is_byte_vec(ty: &Type) -> bool {
    generic(ty).is_some_and(|(name, arguments)| name == "Vec" && arguments.first().is_some_and(is_u8))
}

fn parse_map_key(key: &Type, errors: &mut Errors) -> Option<Scalar> {
    match parse_value(key, errors)?.scalar() {
        Some(scalar) if scalar.is_map_key() => Some(scalar),
        _ => {
            errors.at(
                key,
                format!(
                    "`{}` cannot be the key of a map: protobuf allows whole numbers, `bool` and `String`; \
                     a list of a contract with both parts holds any pair",
                    text(key)
                ),
            );
            None
        }
    }
}

/// `Option<Vec<_>>` and its kin, which protobuf cannot say.
fn check_nesting(outer: &str, inner: &Type, errors: &mut Errors) -> Option<()> {
    let Some((name, _)) = generic(inner) else {
        return Some(());
    };
    if name == "Box" || !COLLECTIONS.contains(&name.as_str()) || is_byte_vec(inner) {
        return Some(());
    }
    let advice = match (outer, name.as_str()) {
        ("Option", "Option") => "absence is told once; write one `Option`".to_owned(),
        ("Option", _) => format!(
            "protobuf cannot tell an absent list or map from an empty one; write `{}`, or put it into a contract of its \
             own and make that optional",
            text(inner)
        ),
        (_, "Option") => {
            "a list or map has no absent items; leave them out, or use a contract with an optional field"
                .to_owned()
        }
        _ => format!(
            "protobuf has no nested lists and maps; put the `{}` into a contract of its own",
            text(inner)
        ),
    };
    let article = |name: &str| if name == "Option" { "an" } else { "a" };
    errors.at(
        inner,
        format!(
            "{} `{name}` cannot stand in {} `{outer}`: {advice}",
            article(&name),
            article(outer)
        ),
    );
    None
}

/// Reads one value: a scalar, bytes, `()` or a name.
fn parse_value(ty: &Type, errors: &mut Errors) -> Option<Value> {
    let mut refuse = |message: String| {
        errors.at(ty, message);
        None
    };
    match ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => Some(Value::Unit),
        Type::Tuple(_) => refuse(format!(
            "protobuf has no tuples; make a contract with named fields for `{}`",
            text(ty)
        )),
        Type::Array(array) if is_u8(&array.elem) => refuse(format!(
            "protobuf's bytes have no fixed length; write `Bytes` or `Vec<u8>` instead of `{}`",
            text(ty)
        )),
        Type::Array(array) => refuse(format!(
            "protobuf's lists have no fixed length; write `Vec<{}>`",
            text(&array.elem)
        )),
        Type::Reference(reference) => refuse(borrowed(&reference.elem)),
        Type::Slice(slice) => refuse(format!(
            "a contract owns its data; write `Vec<{}>`",
            text(&slice.elem)
        )),
        Type::Paren(inner) => parse_value(&inner.elem, errors),
        Type::Group(inner) => parse_value(&inner.elem, errors),
        Type::Path(TypePath { qself: None, path }) => {
            if is_byte_vec(ty) {
                return Some(Value::ByteVec);
            }
            let last = path.segments.last()?;
            let name = last.ident.to_string();
            if let Some(advice) = unsupported(&name, &last.arguments) {
                return refuse(advice);
            }
            if !last.arguments.is_none() {
                return refuse(format!(
                    "`{}` is generic, and protobuf has no generics; make a contract for this use of it",
                    text(ty)
                ));
            }
            if (path.segments.len() == 1 || name == "Bytes" || name == "String")
                && let Some(scalar) = Scalar::from_rust_name(&name)
            {
                return Some(Value::Scalar(scalar));
            }
            Some(Value::Named(path.clone()))
        }
        _ => refuse(format!(
            "`{}` cannot travel; use a scalar, `String`, `Bytes` or another contract",
            text(ty)
        )),
    }
}

fn borrowed(inner: &Type) -> String {
    match inner {
        Type::Path(TypePath { path, .. }) if path.is_ident("str") => {
            "a contract owns its data; write `String` instead of `&str`".to_owned()
        }
        Type::Slice(slice) if is_u8(&slice.elem) => {
            "a contract owns its data; write `Bytes`, which is a slice of the received buffer, instead of `&[u8]`".to_owned()
        }
        other => format!("a contract owns its data; write `{}` instead of a reference", text(other)),
    }
}

/// What to write instead of a type that people reach for and protobuf does not have.
fn unsupported(name: &str, arguments: &PathArguments) -> Option<String> {
    let list;
    let instead = match name {
        "u8" | "u16" => "u32",
        "i8" | "i16" => "i32",
        "usize" => "u64",
        "isize" => "i64",
        "u128" | "i128" => "Bytes` (16 of them) or `String",
        "char" => "String",
        "str" => "String",
        "PathBuf" | "OsString" | "Cow" => "String",
        "Uuid" => "String` with `#[field(format = \"uuid\")]",
        "Instant" => "SystemTime",
        "DateTime" | "NaiveDateTime" | "OffsetDateTime" => "SystemTime` or `prost_types::Timestamp",
        "HashSet" | "BTreeSet" | "VecDeque" | "LinkedList" | "SmallVec" => {
            list = match arguments {
                PathArguments::AngleBracketed(arguments) => arguments.args.first(),
                _ => None,
            }
            .map_or_else(|| "Vec".to_owned(), |item| format!("Vec<{}>", text(item)));
            list.as_str()
        }
        "IndexMap" => "HashMap` or `BTreeMap",
        "Rc" | "Arc" => "Box",
        "Result" => "contract enum with two variants",
        _ => return None,
    };
    let shown = match arguments {
        PathArguments::None => name.to_owned(),
        _ => format!("{name}<…>"),
    };
    Some(format!("protobuf has no `{shown}`; use `{instead}`"))
}
