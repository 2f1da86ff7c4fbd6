//! The type table: which Rust type is which protobuf type, read from tokens alone.
//!
//! A macro cannot look behind a name, so a named type stays [`Value::Named`] here: whether it is a message, an enum or
//! a well-known type is found by the trait system when the macro's code compiles, and by [`crate::resolve`] when the
//! schema is written.

use crate::diagnostics::Errors;
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Type, TypePath};

/// A protobuf scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are protobuf's")]
pub enum Scalar {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
}

/// One row of the type table: the scalar, its protobuf name, the Rust types that hold it, its codec.
const SCALARS: [(Scalar, &str, &str, &str); 15] = [
    (Scalar::Double, "double", "f64", "Double"),
    (Scalar::Float, "float", "f32", "Float"),
    (Scalar::Int32, "int32", "i32", "Int32"),
    (Scalar::Int64, "int64", "i64", "Int64"),
    (Scalar::Uint32, "uint32", "u32", "Uint32"),
    (Scalar::Uint64, "uint64", "u64", "Uint64"),
    (Scalar::Sint32, "sint32", "i32", "Sint32"),
    (Scalar::Sint64, "sint64", "i64", "Sint64"),
    (Scalar::Fixed32, "fixed32", "u32", "Fixed32"),
    (Scalar::Fixed64, "fixed64", "u64", "Fixed64"),
    (Scalar::Sfixed32, "sfixed32", "i32", "Sfixed32"),
    (Scalar::Sfixed64, "sfixed64", "i64", "Sfixed64"),
    (Scalar::Bool, "bool", "bool", "Bool"),
    (Scalar::String, "string", "String", "Utf8"),
    (Scalar::Bytes, "bytes", "Bytes", "ByteSlice"),
];

impl Scalar {
    fn row(self) -> &'static (Scalar, &'static str, &'static str, &'static str) {
        // The table has a row for every variant, in the order of declaration.
        &SCALARS[self as usize]
    }

    /// `sint32`.
    pub fn proto_name(self) -> &'static str {
        self.row().1
    }

    /// `i32`.
    pub fn rust_name(self) -> &'static str {
        self.row().2
    }

    /// The name of the codec under `rpc_runtime::codegen`.
    pub fn codec_name(self) -> &'static str {
        self.row().3
    }

    /// The scalar of that protobuf name.
    pub fn from_proto_name(name: &str) -> Option<Self> {
        SCALARS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The scalar that a Rust type holds unless `proto = "…"` says otherwise.
    fn from_rust_name(name: &str) -> Option<Self> {
        SCALARS.iter().find(|row| row.2 == name).map(|row| row.0)
    }

    /// Whether protobuf allows it as a map key.
    pub fn is_map_key(self) -> bool {
        !matches!(self, Self::Double | Self::Float | Self::Bytes)
    }

    /// Whether it is a number.
    pub fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::String | Self::Bytes)
    }

    /// Whether it is a number with a fraction.
    pub fn is_float(self) -> bool {
        matches!(self, Self::Double | Self::Float)
    }

    /// The least and the greatest value, if it is a whole number.
    pub fn bounds(self) -> Option<(i128, i128)> {
        Some(match self.rust_name() {
            "i32" => (i32::MIN.into(), i32::MAX.into()),
            "i64" => (i64::MIN.into(), i64::MAX.into()),
            "u32" => (0, u32::MAX.into()),
            "u64" => (0, u64::MAX.into()),
            _ => return None,
        })
    }

    /// Whether it cannot be negative.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::Uint32 | Self::Uint64 | Self::Fixed32 | Self::Fixed64)
    }

    /// The well-known wrapper message that carries it where protobuf wants a message, as in a request.
    pub fn wrapper(self) -> Option<&'static str> {
        Some(match self {
            Self::Double => "google.protobuf.DoubleValue",
            Self::Float => "google.protobuf.FloatValue",
            Self::Int64 => "google.protobuf.Int64Value",
            Self::Uint64 => "google.protobuf.UInt64Value",
            Self::Int32 => "google.protobuf.Int32Value",
            Self::Uint32 => "google.protobuf.UInt32Value",
            Self::Bool => "google.protobuf.BoolValue",
            Self::String => "google.protobuf.StringValue",
            Self::Bytes => "google.protobuf.BytesValue",
            _ => return None,
        })
    }
}

/// What a field holds, one of it.
#[derive(Debug, Clone)]
pub enum Value {
    /// A scalar; `bytes` is a `Bytes` here.
    Scalar(Scalar),
    /// `bytes` as a `Vec<u8>`.
    ByteVec,
    /// `()`, `google.protobuf.Empty`.
    Unit,
    /// A contract, an enum, a well-known type: whatever implements `ContractField`.
    Named(syn::Path),
}

impl Value {
    /// The scalar on the wire, if it is one.
    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Scalar(scalar) => Some(*scalar),
            Self::ByteVec => Some(Scalar::Bytes),
            Self::Unit | Self::Named(_) => None,
        }
    }

    /// How the value is told to a person and to the fingerprint.
    pub fn describe(&self) -> String {
        match self {
            Self::Scalar(scalar) => scalar.proto_name().to_owned(),
            Self::ByteVec => "bytes".to_owned(),
            Self::Unit => "google.protobuf.Empty".to_owned(),
            Self::Named(path) => path_text(path),
        }
    }
}

/// How many of it, and whether its absence can be told.
#[derive(Debug, Clone)]
pub enum Cardinality {
    /// Always there; the zero value is what an absent one reads as.
    Singular,
    /// `Option<T>`.
    Optional,
    /// `Vec<T>`.
    Repeated,
    /// `HashMap<K, V>` or `BTreeMap<K, V>`.
    Map {
        /// The key's scalar.
        key: Scalar,
        /// Whether it is a `BTreeMap`.
        ordered: bool,
    },
}

/// The type of a field.
#[derive(Debug, Clone)]
pub struct FieldType {
    /// How many.
    pub cardinality: Cardinality,
    /// Of what.
    pub value: Value,
    /// Whether the value stands in a `Box`.
    pub boxed: bool,
    /// As the user wrote it.
    pub rust: Type,
}

/// A path as one word, without spaces: `crate::money::Money`.
pub fn path_text(path: &syn::Path) -> String {
    let mut text = String::new();
    if path.leading_colon.is_some() {
        text.push_str("::");
    }
    for (at, segment) in path.segments.iter().enumerate() {
        if at > 0 {
            text.push_str("::");
        }
        text.push_str(&crate::names::plain(&segment.ident));
    }
    text
}

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

/// A type as a person would write it: `Option<Vec<String>>`.
pub fn text(ty: &impl ToTokens) -> String {
    let spaced = ty.to_token_stream().to_string();
    let mut out = String::with_capacity(spaced.len());
    let mut chars = spaced.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ' ' {
            let before = out.chars().last();
            let after = chars.peek().copied();
            let tight = |c: Option<char>| {
                matches!(
                    c,
                    Some('<' | '>' | ':' | '&' | '(' | '[' | ']' | ')' | ',' | '\'')
                )
            };
            if (tight(before) && before != Some(',') && before != Some('>'))
                || tight(after)
                || before == Some('-')
            {
                continue;
            }
        }
        out.push(c);
    }
    out
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ty: &str) -> String {
        let parsed: Type = syn::parse_str(ty).expect("the case is a Rust type");
        let mut errors = Errors::new();
        match parse_field_type(&parsed, &mut errors) {
            Some(found) => format!(
                "{:?} {}{}",
                found.cardinality,
                if found.boxed { "box " } else { "" },
                found.value.describe()
            ),
            None => errors
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    #[test]
    fn the_type_table_reads_what_the_design_lists() {
        for (rust, told) in [
            ("bool", "Singular bool"),
            ("i64", "Singular int64"),
            ("String", "Singular string"),
            ("std::string::String", "Singular string"),
            ("Bytes", "Singular bytes"),
            ("bytes::Bytes", "Singular bytes"),
            ("Vec<u8>", "Singular bytes"),
            ("Option<Vec<u8>>", "Optional bytes"),
            ("Vec<Vec<u8>>", "Repeated bytes"),
            ("Vec<String>", "Repeated string"),
            ("Option<Box<Node>>", "Optional box Node"),
            (
                "HashMap<String, Node>",
                "Map { key: String, ordered: false } Node",
            ),
            (
                "std::collections::BTreeMap<u32, f64>",
                "Map { key: Uint32, ordered: true } double",
            ),
            ("()", "Singular google.protobuf.Empty"),
            ("prost_types::Timestamp", "Singular prost_types::Timestamp"),
        ] {
            assert_eq!(check(rust), told, "{rust}");
        }
    }

    #[test]
    fn an_unsupported_type_says_what_to_use() {
        for (rust, needle) in [
            ("usize", "use `u64`"),
            ("u8", "use `u32`"),
            ("&'static str", "write `String`"),
            ("[u8; 16]", "`Bytes` or `Vec<u8>`"),
            ("(i32, i32)", "named fields"),
            ("HashSet<String>", "use `Vec`"),
            ("Option<Vec<String>>", "absent list"),
            ("Vec<Option<i32>>", "no absent items"),
            ("Vec<Vec<i32>>", "contract of its own"),
            ("HashMap<f64, i32>", "key of a map"),
            ("HashMap<Bytes, i32>", "key of a map"),
            ("Box<i32>", "write `i32`"),
            ("Wrapper<i32>", "no generics"),
        ] {
            let told = check(rust);
            assert!(told.contains(needle), "{rust}: {told}");
        }
    }

    #[test]
    fn types_are_told_as_people_write_them() {
        let ty: Type =
            syn::parse_str("Option<std::collections::HashMap<String, Vec<&'static str>>>").expect("a type");
        assert_eq!(
            text(&ty),
            "Option<std::collections::HashMap<String, Vec<&'static str>>>"
        );
    }
}
