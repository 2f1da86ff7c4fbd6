//! A field as the wire sees it, and which of its shapes a reader of the old one can read.
//!
//! The groups are those of <https://protobuf.dev/programming-guides/proto3/#updating>, as buf draws them: two types are
//! compatible when every value of one is read by the other, without knowledge of the values that are in use.

use prost_types::FieldDescriptorProto;
use prost_types::field_descriptor_proto::{Label, Type};

use super::index::{In, Index, full_name};
use prost_types::DescriptorProto;

/// How often a field may occur, and whether its absence can be told from its zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cardinality {
    /// Absence can be told: `optional`, a message, a member of a oneof.
    Explicit,
    /// proto3 without `optional`.
    Implicit,
    /// proto2's `required`.
    Required,
    Repeated,
    Map,
}

impl Cardinality {
    /// Members of one group can be read as each other on the wire; a map is a repeated message there.
    pub(super) fn wire_group(self) -> u8 {
        match self {
            Cardinality::Explicit | Cardinality::Implicit => 1,
            Cardinality::Required => 2,
            Cardinality::Repeated | Cardinality::Map => 3,
        }
    }

    /// Members of one group can be read as each other in JSON, too, where a map is an object and a list an array.
    pub(super) fn wire_json_group(self) -> u8 {
        if self == Cardinality::Map {
            4
        } else {
            self.wire_group()
        }
    }
}

/// Types of one group are read as each other on the wire.
pub(super) fn wire_group(kind: Type) -> u8 {
    match kind {
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 | Type::Bool => 1,
        Type::Sint32 | Type::Sint64 => 2,
        Type::String => 3,
        Type::Bytes => 4,
        Type::Fixed32 | Type::Sfixed32 => 5,
        Type::Fixed64 | Type::Sfixed64 => 6,
        Type::Double => 7,
        Type::Float => 8,
        Type::Group => 9,
        Type::Message => 10,
        // An enum can be read as an integer only while every integer in use is one of its values.
        Type::Enum => 11,
    }
}

/// Types of one group are read as each other on the wire and in JSON, where 64-bit integers are strings and bytes base64.
pub(super) fn wire_json_group(kind: Type) -> u8 {
    match kind {
        Type::Int32 | Type::Uint32 => 1,
        Type::Int64 | Type::Uint64 => 2,
        Type::Fixed32 | Type::Sfixed32 => 3,
        Type::Fixed64 | Type::Sfixed64 => 4,
        Type::Bool => 5,
        Type::Sint32 => 6,
        Type::Sint64 => 7,
        Type::String => 8,
        Type::Bytes => 9,
        Type::Double => 10,
        Type::Float => 11,
        Type::Group => 12,
        Type::Message => 13,
        Type::Enum => 14,
    }
}

/// A field, resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) proto: &'a FieldDescriptorProto,
    pub(super) kind: Type,
    /// The full name of the message or enum; empty for a scalar.
    pub(super) type_name: &'a str,
    pub(super) cardinality: Cardinality,
    /// The declared oneof that the field is a member of. The one that stands for `optional` is none.
    pub(super) oneof: Option<&'a str>,
    /// The entry of a map field, with its key (number 1) and value (number 2).
    pub(super) entry: Option<In<'a, DescriptorProto>>,
}

impl<'a> Field<'a> {
    /// Resolves a field of `message`; an extension has no message that declares it.
    pub(super) fn resolve<T>(
        index: &Index<'a>,
        place: In<'a, T>,
        message: Option<&'a DescriptorProto>,
        proto: &'a FieldDescriptorProto,
    ) -> Self {
        let type_name = full_name(proto.type_name());
        let entry = index.map_entries.get(type_name).copied();
        let oneof = proto
            .oneof_index
            .filter(|_| !proto.proto3_optional())
            .and_then(|position| message?.oneof_decl.get(usize::try_from(position).ok()?))
            .map(|oneof| oneof.name());
        let kind = proto.r#type();
        let cardinality = match proto.label() {
            Label::Repeated if entry.is_some() => Cardinality::Map,
            Label::Repeated => Cardinality::Repeated,
            Label::Required => Cardinality::Required,
            Label::Optional => {
                let implicit = place.is_proto3()
                    && !proto.proto3_optional()
                    && oneof.is_none()
                    && proto.extendee.is_none()
                    && !matches!(kind, Type::Message | Type::Group);
                if implicit {
                    Cardinality::Implicit
                } else {
                    Cardinality::Explicit
                }
            }
        };
        Field {
            proto,
            kind,
            type_name,
            cardinality,
            oneof,
            entry,
        }
    }

    pub(super) fn name(&self) -> &'a str {
        self.proto.name()
    }

    pub(super) fn number(&self) -> i32 {
        self.proto.number()
    }

    /// The name in JSON: the declared one, else the name in lower camel case as protobuf derives it.
    pub(super) fn json_name(&self) -> String {
        self.proto.json_name.clone().unwrap_or_else(|| {
            let mut name = String::with_capacity(self.name().len());
            let mut raise = false;
            for c in self.name().chars() {
                if c == '_' {
                    raise = true;
                } else {
                    name.push(if raise { c.to_ascii_uppercase() } else { c });
                    raise = false;
                }
            }
            name
        })
    }

    /// The field's type as a `.proto` in the package of `scope` writes it: `string`, `optional Task`, `map<string, int32>`.
    pub(super) fn describe_type(&self, scope: &str) -> String {
        if let Some([key, value]) = self.entry_fields() {
            return format!(
                "map<{}, {}>",
                describe_kind(key, scope),
                describe_kind(value, scope)
            );
        }
        let kind = describe_kind(self.proto, scope);
        match self.cardinality {
            Cardinality::Repeated | Cardinality::Map => format!("repeated {kind}"),
            Cardinality::Required => format!("required {kind}"),
            Cardinality::Explicit if self.proto.proto3_optional() => format!("optional {kind}"),
            Cardinality::Explicit | Cardinality::Implicit => kind,
        }
    }

    /// Name and type, the way a contract writes them: `checked: bool`.
    pub(super) fn describe(&self, scope: &str) -> String {
        format!("{}: {}", self.name(), self.describe_type(scope))
    }

    /// The key and the value of a map.
    pub(super) fn entry_fields(&self) -> Option<[&'a FieldDescriptorProto; 2]> {
        let fields = &self.entry?.it.field;
        let by_number = |number| fields.iter().find(|field| field.number() == number);
        Some([by_number(1)?, by_number(2)?])
    }
}

fn describe_kind(field: &FieldDescriptorProto, scope: &str) -> String {
    match field.r#type() {
        Type::Message | Type::Enum | Type::Group => {
            short_name(full_name(field.type_name()), scope).to_owned()
        }
        scalar => scalar
            .as_str_name()
            .trim_start_matches("TYPE_")
            .to_ascii_lowercase(),
    }
}

/// `name` without the package that it shares with the message `scope`.
fn short_name<'n>(name: &'n str, scope: &str) -> &'n str {
    let package = scope.rsplit_once('.').map_or("", |(package, _)| package);
    name.strip_prefix(package)
        .and_then(|rest| rest.strip_prefix('.'))
        .unwrap_or(name)
}
