//! What a broken rule is called, says and where it stands in `buf.validate.FieldRules`.
//!
//! Ids, texts and numbers are those of protovalidate's `validate.proto`; `tests/protovalidate.rs` compares them with
//! what protovalidate itself answers.

use super::rule::{Bound, Format, Number};
use super::validator::{Step, ValueRef};
use super::violation::field_path_element::Subscript;
use super::violation::{FieldPath, FieldPathElement, FieldType, Violation};
use crate::contract::{Cardinality, Kind};

/// Which values of a field a rule is checked for, which decides under what its path stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// The field itself.
    Value,
    /// The items of a list.
    Items,
    /// The values of a map.
    Values,
}

/// Which item of a list or which entry of a map the walk stands at.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subscripted<'a> {
    None,
    Index(u64),
    Key(ValueRef<'a>),
}

/// A step of a rule's path.
type RuleStep = (i32, &'static str, FieldType);

/// A rule that a value breaks.
#[derive(Debug)]
pub(super) struct Broken {
    rule_id: String,
    message: String,
    path: Vec<RuleStep>,
}

impl Broken {
    /// The violation of this rule by the value at `field`.
    pub(super) fn at(self, field: FieldPath, check: Check) -> Violation {
        let prefix: &[RuleStep] = match check {
            Check::Value => &[],
            Check::Items => &[REPEATED, (4, "items", FieldType::Message)],
            Check::Values => &[MAP, (5, "values", FieldType::Message)],
        };
        let elements = prefix
            .iter()
            .chain(&self.path)
            .map(|(number, name, field_type)| FieldPathElement {
                field_number: Some(*number),
                field_name: Some((*name).to_owned()),
                field_type: Some(*field_type as i32),
                ..FieldPathElement::default()
            });
        Violation {
            field: Some(field),
            rule: Some(FieldPath {
                elements: elements.collect(),
            }),
            rule_id: Some(self.rule_id),
            message: Some(self.message),
            for_key: None,
        }
    }
}

const REPEATED: RuleStep = (18, "repeated", FieldType::Message);
const MAP: RuleStep = (19, "map", FieldType::Message);
const STRING: RuleStep = (14, "string", FieldType::Message);
const BYTES: RuleStep = (15, "bytes", FieldType::Message);

fn broken(rule_id: impl Into<String>, message: impl Into<String>, path: Vec<RuleStep>) -> Broken {
    Broken {
        rule_id: rule_id.into(),
        message: message.into(),
        path,
    }
}

pub(super) fn required() -> Broken {
    broken(
        "required",
        "value is required",
        vec![(25, "required", FieldType::Bool)],
    )
}

pub(super) fn text_min_len(min: u64) -> Broken {
    let path = vec![STRING, (2, "min_len", FieldType::Uint64)];
    broken(
        "string.min_len",
        format!("must be at least {min} characters"),
        path,
    )
}

pub(super) fn text_max_len(max: u64) -> Broken {
    let path = vec![STRING, (3, "max_len", FieldType::Uint64)];
    broken(
        "string.max_len",
        format!("must be at most {max} characters"),
        path,
    )
}

pub(super) fn text_pattern(pattern: &str) -> Broken {
    let path = vec![STRING, (6, "pattern", FieldType::String)];
    broken(
        "string.pattern",
        format!("does not match regex pattern `{pattern}`"),
        path,
    )
}

pub(super) fn bytes_min_len(min: u64) -> Broken {
    let path = vec![BYTES, (2, "min_len", FieldType::Uint64)];
    broken("bytes.min_len", format!("must be at least {min} bytes"), path)
}

pub(super) fn bytes_max_len(max: u64) -> Broken {
    let path = vec![BYTES, (3, "max_len", FieldType::Uint64)];
    broken("bytes.max_len", format!("must be at most {max} bytes"), path)
}

pub(super) fn bytes_pattern(pattern: &str) -> Broken {
    let path = vec![BYTES, (4, "pattern", FieldType::String)];
    broken(
        "bytes.pattern",
        format!("must match regex pattern `{pattern}`"),
        path,
    )
}

pub(super) fn min_items(check: Check, min: u64) -> Broken {
    match check {
        Check::Values => {
            let path = vec![MAP, (1, "min_pairs", FieldType::Uint64)];
            broken(
                "map.min_pairs",
                format!("map must be at least {min} entries"),
                path,
            )
        }
        _ => {
            let path = vec![REPEATED, (1, "min_items", FieldType::Uint64)];
            broken(
                "repeated.min_items",
                format!("must contain at least {min} item(s)"),
                path,
            )
        }
    }
}

pub(super) fn max_items(check: Check, max: u64) -> Broken {
    match check {
        Check::Values => {
            let path = vec![MAP, (2, "max_pairs", FieldType::Uint64)];
            broken(
                "map.max_pairs",
                format!("map must be at most {max} entries"),
                path,
            )
        }
        _ => {
            let path = vec![REPEATED, (2, "max_items", FieldType::Uint64)];
            broken(
                "repeated.max_items",
                format!("must contain no more than {max} item(s)"),
                path,
            )
        }
    }
}

/// A format that an empty string breaks has an id of its own, except where the format allows it.
pub(super) fn format(format: Format, empty: bool) -> Broken {
    let (number, name, what) = match format {
        Format::Email => (12, "email", "a valid email address"),
        Format::Hostname => (13, "hostname", "a valid hostname"),
        Format::Ip => (14, "ip", "a valid IP address"),
        Format::Uri => (17, "uri", "a valid URI"),
        Format::Uuid => (22, "uuid", "a valid UUID"),
    };
    let path = vec![STRING, (number, name, FieldType::Bool)];
    if empty {
        broken(
            format!("string.{name}_empty"),
            format!("value is empty, which is not {what}"),
            path,
        )
    } else {
        broken(format!("string.{name}"), format!("must be {what}"), path)
    }
}

/// A range with two ends is one rule in protovalidate, which stands at its lower end.
pub(super) fn range(kind: Kind, min: Bound, max: Bound) -> Broken {
    let field_type = field_type(kind);
    let (number, name) = number_rules(kind);
    let rules = (number, name, FieldType::Message);
    let lower = match min {
        Bound::Unbounded => None,
        Bound::Inclusive(bound) => Some(((5, "gte", field_type), "greater than or equal to", bound)),
        Bound::Exclusive(bound) => Some(((4, "gt", field_type), "greater than", bound)),
    };
    let upper = match max {
        Bound::Unbounded => None,
        Bound::Inclusive(bound) => Some(((3, "lte", field_type), "less than or equal to", bound)),
        Bound::Exclusive(bound) => Some(((2, "lt", field_type), "less than", bound)),
    };
    match (lower, upper) {
        (Some((at, low_words, low)), Some((upper, high_words, high))) => broken(
            format!("{name}.{}_{}", at.1, upper.1),
            format!(
                "must be {low_words} {} and {high_words} {}",
                Shown(low),
                Shown(high)
            ),
            vec![rules, at],
        ),
        (Some((at, words, bound)), None) | (None, Some((at, words, bound))) => broken(
            format!("{name}.{}", at.1),
            format!("must be {words} {}", Shown(bound)),
            vec![rules, at],
        ),
        (None, None) => broken(name, "must be in range", vec![rules]),
    }
}

/// A number as CEL's `%s` shows it.
struct Shown(Number);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Number::Int(number) => write!(f, "{number}"),
            Number::Uint(number) => write!(f, "{number}"),
            Number::Float(number) => write!(f, "{number}"),
            Number::Double(number) => write!(f, "{number}"),
        }
    }
}

/// The number and name of a scalar's rules in `FieldRules`.
fn number_rules(kind: Kind) -> (i32, &'static str) {
    match kind {
        Kind::Float => (1, "float"),
        Kind::Double => (2, "double"),
        Kind::Int32 => (3, "int32"),
        Kind::Int64 => (4, "int64"),
        Kind::Uint32 => (5, "uint32"),
        Kind::Uint64 => (6, "uint64"),
        Kind::Sint32 => (7, "sint32"),
        Kind::Sint64 => (8, "sint64"),
        Kind::Fixed32 => (9, "fixed32"),
        Kind::Fixed64 => (10, "fixed64"),
        Kind::Sfixed32 => (11, "sfixed32"),
        Kind::Sfixed64 => (12, "sfixed64"),
        Kind::Bool => (13, "bool"),
        Kind::String => (14, "string"),
        Kind::Bytes => (15, "bytes"),
        Kind::Enum(_) => (16, "enum"),
        Kind::Message(_) => (20, "any"),
    }
}

fn field_type(kind: Kind) -> FieldType {
    match kind {
        Kind::Bool => FieldType::Bool,
        Kind::Int32 => FieldType::Int32,
        Kind::Int64 => FieldType::Int64,
        Kind::Uint32 => FieldType::Uint32,
        Kind::Uint64 => FieldType::Uint64,
        Kind::Sint32 => FieldType::Sint32,
        Kind::Sint64 => FieldType::Sint64,
        Kind::Fixed32 => FieldType::Fixed32,
        Kind::Fixed64 => FieldType::Fixed64,
        Kind::Sfixed32 => FieldType::Sfixed32,
        Kind::Sfixed64 => FieldType::Sfixed64,
        Kind::Float => FieldType::Float,
        Kind::Double => FieldType::Double,
        Kind::String => FieldType::String,
        Kind::Bytes => FieldType::Bytes,
        Kind::Message(_) => FieldType::Message,
        Kind::Enum(_) => FieldType::Enum,
    }
}

/// Writes out the path to where the walk stands.
pub(super) fn field_path(innermost: &Step<'_>) -> FieldPath {
    let mut elements = Vec::new();
    let mut next = Some(innermost);
    while let Some(step) = next {
        elements.push(path_element(step));
        next = step.outer;
    }
    elements.reverse();
    FieldPath { elements }
}

fn path_element(step: &Step<'_>) -> FieldPathElement {
    let field = step.field;
    let mut element = FieldPathElement {
        field_number: i32::try_from(field.number).ok(),
        field_name: Some(field.name.to_owned()),
        field_type: Some(field_type(field.kind) as i32),
        ..FieldPathElement::default()
    };
    if let Cardinality::Map(key) = field.cardinality {
        // A map is a list of entry messages on the wire, and that is its type.
        element.field_type = Some(FieldType::Message as i32);
        if matches!(step.subscript, Subscripted::Key(_)) {
            element.key_type = Some(field_type(key) as i32);
            element.value_type = Some(field_type(field.kind) as i32);
        }
    }
    element.subscript = match step.subscript {
        Subscripted::Index(index) => Some(Subscript::Index(index)),
        Subscripted::Key(ValueRef::Bool(key)) => Some(Subscript::BoolKey(key)),
        Subscripted::Key(ValueRef::Int(key)) => Some(Subscript::IntKey(key)),
        Subscripted::Key(ValueRef::Uint(key)) => Some(Subscript::UintKey(key)),
        Subscripted::Key(ValueRef::Text(key)) => Some(Subscript::StringKey(key.to_owned())),
        Subscripted::Key(_) | Subscripted::None => None,
    };
    element
}
