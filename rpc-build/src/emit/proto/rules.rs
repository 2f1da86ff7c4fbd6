//! The rules on a field as `buf.validate` options, the format that validators of other languages read.

use super::text::quoted;
use rpc_schema::model::{Range, Rule};
use rpc_schema::resolve::{FieldDef, Label, TypeDef};
use rpc_schema::types::Scalar;

/// The options of a field, in the order of its rules.
pub(super) fn options(field: &FieldDef) -> Vec<String> {
    let mut options = Vec::new();
    for rule in &field.rules {
        push(field, rule, &mut options);
    }
    options
}

fn push(field: &FieldDef, rule: &Rule, options: &mut Vec<String>) {
    let mut option = |path: String, value: String| {
        options.push(format!("(buf.validate.field).{path} = {value}"));
    };
    let scalar = match &field.ty {
        TypeDef::Scalar(scalar) => Some(*scalar),
        _ => None,
    };
    // The rules of a list's items and of a map's values stand below the list's and the map's own.
    let of_value = |rule: &str| {
        let value = format!("{}.{rule}", scalar.map_or("string", Scalar::proto_name));
        match field.label {
            Label::Repeated => format!("repeated.items.{value}"),
            Label::Map(_) => format!("map.values.{value}"),
            Label::Singular | Label::Optional => value,
        }
    };
    let of_holder = |list: &str, map: &str| match field.label {
        Label::Map(_) => format!("map.{map}"),
        _ => format!("repeated.{list}"),
    };
    match rule {
        Rule::Required => option("required".to_owned(), "true".to_owned()),
        Rule::MinItems(count) => option(of_holder("min_items", "min_pairs"), count.to_string()),
        Rule::MaxItems(count) => option(of_holder("max_items", "max_pairs"), count.to_string()),
        Rule::MinLen(len) => option(of_value("min_len"), len.to_string()),
        Rule::MaxLen(len) => option(of_value("max_len"), len.to_string()),
        Rule::Pattern(pattern) => option(of_value("pattern"), quoted(pattern)),
        Rule::Format(format) => option(of_value(format.name()), "true".to_owned()),
        Rule::Range(Range { from, to }) => {
            if let Some(from) = from {
                option(of_value("gte"), from.to_string());
            }
            if let Some((to, inclusive)) = to {
                option(of_value(if *inclusive { "lte" } else { "lt" }), to.to_string());
            }
        }
    }
}
