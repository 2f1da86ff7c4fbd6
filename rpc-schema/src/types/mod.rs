//! The type table: which Rust type is which protobuf type, read from tokens alone.
//!
//! A macro cannot look behind a name, so a named type stays [`Value::Named`] here: whether it is a message, an enum or
//! a well-known type is found by the trait system when the macro's code compiles, and by [`crate::resolve`] when the
//! schema is written.

mod read;

pub use read::{parse_field_type, parse_message_type};

use quote::ToTokens;
use syn::Type;

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

#[cfg(test)]
mod tests;
