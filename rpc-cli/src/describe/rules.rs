//! The rules of a field, as protovalidate's options say them: as they are for programs, and in words for people.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};
use serde_json::{Value as Json, json};

/// The rules of a field.
pub(super) struct Rules(DynamicMessage);

impl Rules {
    /// `None` where it has none.
    pub(super) fn of(field: &FieldDescriptor) -> Option<Self> {
        let options = field.options();
        let (_, rules) = options
            .extensions()
            .find(|(extension, _)| extension.full_name() == "buf.validate.field")?;
        rules.as_message().cloned().map(Self)
    }

    pub(super) fn json(&self) -> Option<Json> {
        serde_json::to_value(&self.0).ok()
    }

    /// Such as `required, 1 to 200 characters`. A rule that there are no words for stands there as it is written.
    pub(super) fn words(&self) -> String {
        words(&self.0).join(", ")
    }
}

fn words(rules: &DynamicMessage) -> Vec<String> {
    let mut words = Vec::new();
    let mut facts = Facts::of(rules);
    if facts.take_true("required") {
        words.push("required".to_owned());
    }
    for name in ["cel", "cel_expression"] {
        let expressions = facts.take(name);
        let expressions = expressions.iter().filter_map(Value::as_list).flatten();
        words.extend(expressions.filter_map(expression));
    }
    for (field, value) in facts.0 {
        match value.as_message() {
            Some(typed) => words.extend(of_type(field.name(), typed)),
            None => words.push(as_written(&field, &value)),
        }
    }
    words
}

/// A rule that is an expression: what it says of itself.
fn expression(rule: &Value) -> Option<String> {
    let Some(rule) = rule.as_message() else {
        return rule.as_str().map(str::to_owned);
    };
    let mut said = ["message", "id", "expression"]
        .into_iter()
        .filter_map(|name| rule.get_field_by_name(name)?.as_str().map(str::to_owned));
    said.find(|text| !text.is_empty())
}

/// The rules for values of a type, such as `string`.
fn of_type(kind: &str, rules: &DynamicMessage) -> Vec<String> {
    let mut facts = Facts::of(rules);
    let mut words = sizes(kind, &mut facts);
    words.extend(range(&mut facts));
    for (field, value) in facts.0 {
        words.push(match (field.name(), &value) {
            (part @ ("items" | "keys" | "values"), Value::Message(inner)) => {
                let part = if part == "items" { "each item" } else { part };
                format!("{part}: {}", self::words(inner).join(", "))
            }
            ("pattern", pattern) => format!("matching {}", pattern.as_str().unwrap_or_default()),
            ("const", value) => format!("always {}", told(&field, value)),
            ("in", value) => format!("one of {}", told(&field, value)),
            ("not_in", value) => format!("none of {}", told(&field, value)),
            ("prefix", value) => format!("beginning with {}", told(&field, value)),
            ("suffix", value) => format!("ending with {}", told(&field, value)),
            ("contains", value) => format!("with {} in it", told(&field, value)),
            ("not_contains", value) => format!("without {} in it", told(&field, value)),
            ("within", value) => format!("within {} of now", told(&field, value)),
            ("lt_now", Value::Bool(true)) => "in the past".to_owned(),
            ("gt_now", Value::Bool(true)) => "in the future".to_owned(),
            ("unique", Value::Bool(true)) => "each item once".to_owned(),
            ("finite", Value::Bool(true)) => "neither NaN nor infinite".to_owned(),
            ("defined_only", Value::Bool(true)) => "one of the values that are listed".to_owned(),
            // A format, such as `email`.
            (format, Value::Bool(true)) => format.replace('_', " "),
            (_, value) => as_written(&field, value),
        });
    }
    words
}

/// What is set in a message, without what has been said of it.
struct Facts(Vec<(FieldDescriptor, Value)>);

impl Facts {
    fn of(message: &DynamicMessage) -> Self {
        let fields = message.fields();
        Self(fields.map(|(field, value)| (field, value.clone())).collect())
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.take_with_field(name).map(|(_, value)| value)
    }

    fn take_with_field(&mut self, name: &str) -> Option<(FieldDescriptor, Value)> {
        let at = self.0.iter().position(|(field, _)| field.name() == name)?;
        Some(self.0.remove(at))
    }

    fn take_true(&mut self, name: &str) -> bool {
        let at = self
            .0
            .iter()
            .position(|(field, value)| field.name() == name && *value == Value::Bool(true));
        at.map(|at| self.0.remove(at)).is_some()
    }
}

/// How the sizes of each type are called: the least, the most, exactly; one, several.
const SIZES: [(&str, [&str; 3], &str, &str); 5] = [
    ("string", ["min_len", "max_len", "len"], "character", "characters"),
    (
        "string",
        ["min_bytes", "max_bytes", "len_bytes"],
        "byte in UTF-8",
        "bytes in UTF-8",
    ),
    ("bytes", ["min_len", "max_len", "len"], "byte", "bytes"),
    ("repeated", ["min_items", "max_items", ""], "item", "items"),
    ("map", ["min_pairs", "max_pairs", ""], "entry", "entries"),
];

fn sizes(kind: &str, facts: &mut Facts) -> Vec<String> {
    let of_kind = SIZES.iter().filter(|(of, ..)| *of == kind);
    let texts = of_kind.filter_map(|(_, names, one, more)| {
        let [min, max, exact] = names.map(|name| facts.take(name).and_then(|value| value.as_u64()));
        let counted = |count: u64| format!("{count} {}", if count == 1 { one } else { more });
        match (exact.or(min), exact.or(max)) {
            (None, None) => None,
            (Some(least), Some(most)) if least == most => Some(format!("exactly {}", counted(least))),
            (Some(least), Some(most)) => Some(format!("{least} to {}", counted(most))),
            (Some(least), None) => Some(format!("at least {}", counted(least))),
            (None, Some(most)) => Some(format!("at most {}", counted(most))),
        }
    });
    texts.collect()
}

/// Between which bounds a number or a time is.
fn range(facts: &mut Facts) -> Option<String> {
    let mut bound = |name: &str, word: &str| {
        let (field, value) = facts.take_with_field(name)?;
        Some((format!("{word} {}", told(&field, &value)), number(&value)))
    };
    let lower = bound("gte", "at least").or_else(|| bound("gt", "more than"));
    let upper = bound("lte", "at most").or_else(|| bound("lt", "less than"));
    match (lower, upper) {
        (None, None) => None,
        (Some((text, _)), None) | (None, Some((text, _))) => Some(text),
        // With the upper end below the lower one, what lies outside is wanted.
        (Some((lower, from)), Some((upper, to))) if to < from => Some(format!("{lower} or {upper}")),
        (Some((lower, _)), Some((upper, _))) => Some(format!("{lower} and {upper}")),
    }
}

/// A number or a time as what it can be compared by with another.
fn number(value: &Value) -> Option<(f64, i64)> {
    let whole = value.as_i64().or(value.as_i32().map(i64::from));
    let whole = whole.map(|number| number as f64);
    let natural = value.as_u64().or(value.as_u32().map(u64::from));
    let natural = natural.map(|number| number as f64);
    let fraction = value.as_f64().or(value.as_f32().map(f64::from));
    if let Some(number) = whole.or(natural).or(fraction) {
        return Some((number, 0));
    }
    let time = value.as_message()?;
    let part = |name: &str| time.get_field_by_name(name);
    let seconds = part("seconds")?.as_i64()?;
    Some((seconds as f64, i64::from(part("nanos")?.as_i32()?)))
}

/// A value, as JSON has it; several with commas between.
fn told(field: &FieldDescriptor, value: &Value) -> String {
    match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| told(field, item)).collect();
            items.join(", ")
        }
        Value::Message(message) => match serde_json::to_value(message) {
            // Times are texts in JSON, and need no quotes.
            Ok(Json::String(text)) => text,
            Ok(json) => json.to_string(),
            Err(_) => message.descriptor().full_name().to_owned(),
        },
        Value::EnumNumber(number) => match field.kind() {
            Kind::Enum(of) => of.get_value(*number).map(|value| value.name().to_owned()),
            _ => None,
        }
        .unwrap_or_else(|| number.to_string()),
        Value::Bytes(bytes) => json!(data_encoding::BASE64.encode(bytes)).to_string(),
        Value::String(text) => json!(text).to_string(),
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
        Value::Map(_) => field.name().to_owned(),
    }
}

fn as_written(field: &FieldDescriptor, value: &Value) -> String {
    format!("{} = {}", field.name(), told(field, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules of fields of these types with these options, in words.
    fn words_of<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<String> {
        let fields = fields.zip(1..);
        let fields: String = fields
            .map(|((ty, rules), number)| format!("{ty} f{number} = {number} [{rules}];\n"))
            .collect();
        let schema = format!(
            r#"syntax = "proto3";
            package a;
            import "buf/validate/validate.proto";
            import "google/protobuf/duration.proto";
            import "google/protobuf/timestamp.proto";
            enum Colour {{ COLOUR_UNSPECIFIED = 0; RED = 1; }}
            message M {{ {fields} }}"#
        );
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.proto"), schema).unwrap();
        let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../rpc-build/protos");
        let mut compiler = protox::Compiler::new([folder.path(), own.as_ref()]).unwrap();
        let compiled = compiler.include_imports(true).open_file("a.proto");
        compiled.unwrap_or_else(|error| panic!("{error}"));
        let set = compiler.encode_file_descriptor_set();
        let pool = prost_reflect::DescriptorPool::decode(set.as_slice()).unwrap();
        let message = pool.get_message_by_name("a.M").unwrap();
        let rules = message.fields().map(|field| Rules::of(&field));
        rules
            .map(|rules| rules.map_or_else(String::new, |rules| rules.words()))
            .collect()
    }

    #[test]
    fn rules_are_told_in_words() {
        let cases = [
            ("string", "deprecated = true", ""),
            ("string", "(buf.validate.field).required = true", "required"),
            (
                "string",
                "(buf.validate.field).string = {min_len: 1, max_len: 200}",
                "1 to 200 characters",
            ),
            (
                "string",
                "(buf.validate.field).string.max_len = 1",
                "at most 1 character",
            ),
            (
                "string",
                "(buf.validate.field).string.len = 2",
                "exactly 2 characters",
            ),
            (
                "bytes",
                "(buf.validate.field).bytes.min_len = 2",
                "at least 2 bytes",
            ),
            (
                "string",
                "(buf.validate.field).string.min_bytes = 2",
                "at least 2 bytes in UTF-8",
            ),
            (
                "string",
                r#"(buf.validate.field).string.pattern = "^[A-Z]{1,8}$""#,
                "matching ^[A-Z]{1,8}$",
            ),
            (
                "string",
                "(buf.validate.field) = {required: true, string: {email: true, max_len: 9}}",
                "required, at most 9 characters, email",
            ),
            (
                "string",
                r#"(buf.validate.field).string = {prefix: "a", not_contains: "b"}"#,
                r#"beginning with "a", without "b" in it"#,
            ),
            (
                "string",
                r#"(buf.validate.field).string = {in: ["a", "b"]}"#,
                r#"one of "a", "b""#,
            ),
            (
                "string",
                "(buf.validate.field).string.well_known_regex = KNOWN_REGEX_HTTP_HEADER_NAME",
                "well_known_regex = KNOWN_REGEX_HTTP_HEADER_NAME",
            ),
            (
                "uint32",
                "(buf.validate.field).uint32 = {gte: 1, lte: 10}",
                "at least 1 and at most 10",
            ),
            (
                "double",
                "(buf.validate.field).double = {gt: 1.5, finite: true}",
                "more than 1.5, neither NaN nor infinite",
            ),
            (
                "sint64",
                "(buf.validate.field).sint64 = {gt: 5, lt: -5}",
                "more than 5 or less than -5",
            ),
            (
                "repeated string",
                "(buf.validate.field).repeated = {max_items: 5, unique: true, items: {string: {min_len: 1}}}",
                "at most 5 items, each item once, each item: at least 1 character",
            ),
            (
                "map<string, int32>",
                "(buf.validate.field).map = {min_pairs: 1, keys: {string: {max_len: 9}}, values: {int32: {gte: 0}}}",
                "at least 1 entry, keys: at most 9 characters, values: at least 0",
            ),
            (
                "google.protobuf.Duration",
                "(buf.validate.field).duration = {gte: {nanos: 500000000}, lt: {seconds: 60}}",
                "at least 0.500s and less than 60s",
            ),
            (
                "google.protobuf.Timestamp",
                "(buf.validate.field).timestamp = {lt_now: true, within: {seconds: 3600}}",
                "in the past, within 3600s of now",
            ),
            (
                "Colour",
                "(buf.validate.field).enum = {defined_only: true, not_in: [0]}",
                "one of the values that are listed, none of 0",
            ),
            (
                "string",
                r#"(buf.validate.field).cel = {id: "x.y", message: "no two alike", expression: "true"}"#,
                "no two alike",
            ),
            (
                "string",
                "(buf.validate.field).ignore = IGNORE_ALWAYS",
                "ignore = IGNORE_ALWAYS",
            ),
        ];
        let told = words_of(cases.iter().map(|(ty, rules, _)| (*ty, *rules)));
        assert_eq!(told.len(), cases.len());
        for ((ty, rules, words), told) in cases.iter().zip(told) {
            assert_eq!(told, *words, "{ty} {rules}");
        }
    }
}
