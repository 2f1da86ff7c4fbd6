//! `buf.validate.Violations`, as clients that know protovalidate read them from a status' details.

use std::fmt;

use crate::codec::{Bool, Int32, Int64, Named, Optional, Repeated, Uint64, Utf8};
use crate::codegen::prost_contract;

/// All that is wrong with a message: `buf.validate.Violations`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Violations {
    /// The violations, in the order of the fields.
    #[prost(message, repeated, tag = "1")]
    pub violations: Vec<Violation>,
}

/// For people and the log: `label: must be at most 2 characters [string.max_len]`, the first few of many. Keys of maps
/// come from the peer and are shown escaped and cut.
impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (at, violation) in self.violations.iter().take(SHOWN).enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(
                f,
                "{separator}{}: {} [{}]",
                violation.path(),
                violation.message(),
                violation.rule_id()
            )?;
        }
        match self.violations.len() {
            0..=SHOWN => Ok(()),
            many => write!(f, "; and {} more", many - SHOWN),
        }
    }
}

struct Path<'a>(&'a [FieldPathElement]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use field_path_element::Subscript;
        for (at, element) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "." };
            write!(f, "{separator}{}", element.field_name())?;
            match &element.subscript {
                None => {}
                Some(Subscript::Index(index)) => write!(f, "[{index}]")?,
                Some(Subscript::BoolKey(key)) => write!(f, "[{key}]")?,
                Some(Subscript::IntKey(key)) => write!(f, "[{key}]")?,
                Some(Subscript::UintKey(key)) => write!(f, "[{key}]")?,
                Some(Subscript::StringKey(key)) => {
                    write!(f, "[{:?}]", key.chars().take(32).collect::<String>())?;
                }
            }
        }
        Ok(())
    }
}

/// One rule that one value breaks: `buf.validate.Violation`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Violation {
    /// Where the value is, from the outermost message.
    #[prost(message, optional, tag = "5")]
    pub field: Option<FieldPath>,
    /// Where the rule is in `buf.validate.FieldRules`.
    #[prost(message, optional, tag = "6")]
    pub rule: Option<FieldPath>,
    /// The rule's id, such as `string.min_len`.
    #[prost(string, optional, tag = "2")]
    pub rule_id: Option<String>,
    /// What is wrong, for people.
    #[prost(string, optional, tag = "3")]
    pub message: Option<String>,
    /// Whether a map's key breaks the rule instead of its value.
    #[prost(bool, optional, tag = "4")]
    pub for_key: Option<bool>,
}

impl Violation {
    /// Where the value is, from the outermost message, for people: `item.label`, `tags[2]`. Keys of maps come from the
    /// peer and are shown escaped and cut.
    pub fn path(&self) -> impl fmt::Display + '_ {
        Path(self.elements())
    }

    /// The protobuf name of the field that breaks the rule, without what it is in: `label`. Empty for a rule on a whole
    /// message.
    #[must_use]
    pub fn of_field(&self) -> &str {
        self.elements().last().map_or("", FieldPathElement::field_name)
    }

    fn elements(&self) -> &[FieldPathElement] {
        self.field
            .as_ref()
            .map(|path| path.elements.as_slice())
            .unwrap_or_default()
    }
}

/// A path through messages: `buf.validate.FieldPath`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldPath {
    /// The steps, outermost first.
    #[prost(message, repeated, tag = "1")]
    pub elements: Vec<FieldPathElement>,
}

/// One step of a path: `buf.validate.FieldPathElement`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldPathElement {
    /// The field's number.
    #[prost(int32, optional, tag = "1")]
    pub field_number: Option<i32>,
    /// The field's protobuf name.
    #[prost(string, optional, tag = "2")]
    pub field_name: Option<String>,
    /// The field's type, as `google.protobuf.FieldDescriptorProto.Type` numbers it.
    #[prost(enumeration = "FieldType", optional, tag = "3")]
    pub field_type: Option<i32>,
    /// Of a map, the type of its keys.
    #[prost(enumeration = "FieldType", optional, tag = "4")]
    pub key_type: Option<i32>,
    /// Of a map, the type of its values.
    #[prost(enumeration = "FieldType", optional, tag = "5")]
    pub value_type: Option<i32>,
    /// Which item of a list or which entry of a map.
    #[prost(oneof = "field_path_element::Subscript", tags = "6, 7, 8, 9, 10")]
    pub subscript: Option<field_path_element::Subscript>,
}

/// What belongs to [`FieldPathElement`].
pub mod field_path_element {
    /// Which item of a list or which entry of a map.
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Subscript {
        /// The item's place, from 0.
        #[prost(uint64, tag = "6")]
        Index(u64),
        /// The entry's key.
        #[prost(bool, tag = "7")]
        BoolKey(bool),
        /// The entry's key.
        #[prost(int64, tag = "8")]
        IntKey(i64),
        /// The entry's key.
        #[prost(uint64, tag = "9")]
        UintKey(u64),
        /// The entry's key.
        #[prost(string, tag = "10")]
        StringKey(String),
    }
}

/// `google.protobuf.FieldDescriptorProto.Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
#[allow(missing_docs, reason = "the names are protobuf's types")]
pub enum FieldType {
    Double = 1,
    Float = 2,
    Int64 = 3,
    Uint64 = 4,
    Int32 = 5,
    Fixed64 = 6,
    Fixed32 = 7,
    Bool = 8,
    String = 9,
    Group = 10,
    Message = 11,
    Bytes = 12,
    Uint32 = 13,
    Enum = 14,
    Sfixed32 = 15,
    Sfixed64 = 16,
    Sint32 = 17,
    Sint64 = 18,
}

prost_contract! {
    Violations = "buf.validate" "buf.validate.Violations" {
        violations: 1 => Repeated<Named<Violation>>,
    }
}

prost_contract! {
    Violation = "buf.validate" "buf.validate.Violation" {
        field: 5 => Optional<Named<FieldPath>>,
        rule: 6 => Optional<Named<FieldPath>>,
        rule_id: 2 => Optional<Utf8>,
        message: 3 => Optional<Utf8>,
        for_key: 4 => Optional<Bool>,
    }
}

prost_contract! {
    FieldPath = "buf.validate" "buf.validate.FieldPath" {
        elements: 1 => Repeated<Named<FieldPathElement>>,
    }
}

prost_contract! {
    FieldPathElement = "buf.validate" "buf.validate.FieldPathElement" {
        field_number: 1 => Optional<Int32>,
        field_name: 2 => Optional<Utf8>,
        field_type: 3 => Optional<Int32>,
        key_type: 4 => Optional<Int32>,
        value_type: 5 => Optional<Int32>,
        oneof subscript: field_path_element::Subscript {
            Index: index = 6 => Uint64,
            BoolKey: bool_key = 7 => Bool,
            IntKey: int_key = 8 => Int64,
            UintKey: uint_key = 9 => Uint64,
            StringKey: string_key = 10 => Utf8,
        },
    }
}
