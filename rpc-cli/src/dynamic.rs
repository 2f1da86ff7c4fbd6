//! Messages whose types are known from descriptors: from JSON to protobuf and back, as protobuf maps them.

use bytes::Bytes;
use prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, SerializeOptions,
};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::failure::{Exit, Failure};

/// Encodes a JSON text. `source` and `first_line` say where it stands, for what is wrong with it.
pub(crate) fn encode(
    message: &MessageDescriptor,
    json: &str,
    source: &str,
    first_line: usize,
) -> Result<Bytes, Failure> {
    is_something(json, source)?;
    let line = first_line;
    encode_at(message, json, source, || Place { line, ..Place::FIRST })
}

/// Encodes one JSON text behind another, of which there is at least one. What is wrong is the last that is given.
pub(crate) fn each<'a>(
    message: &'a MessageDescriptor,
    json: &'a str,
    source: &'a str,
) -> Result<impl Iterator<Item = Result<Bytes, Failure>> + 'a, Failure> {
    is_something(json, source)?;
    // Where each ends. A deserializer that is asked whether it is at the end counts the lines of all before where it is not.
    let mut ends = serde_json::Deserializer::from_str(json).into_iter::<IgnoredAny>();
    let mut start = 0;
    let mut next = move || {
        let read = ends.next()?;
        let text = &json[start..ends.byte_offset()];
        let body = read
            .map_err(wrong(message, source, Place::FIRST))
            .and_then(|_| encode_at(message, text, source, || Place::behind(&json[..start])));
        start = ends.byte_offset();
        Some(body)
    };
    let mut right = true;
    Ok(std::iter::from_fn(move || {
        let body = next().filter(|_| right)?;
        right = body.is_ok();
        Some(body)
    }))
}

fn encode_at(
    message: &MessageDescriptor,
    json: &str,
    source: &str,
    start: impl FnOnce() -> Place,
) -> Result<Bytes, Failure> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = DynamicMessage::deserialize(message.clone(), &mut deserializer)
        .and_then(|read| deserializer.end().map(|()| read));
    let read = read.map_err(|error| wrong(message, source, start())(error))?;
    Ok(read.encode_to_vec().into())
}

/// Where a text stands in its source.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    /// So many bytes are before it on its line.
    column: usize,
}

impl Place {
    const FIRST: Self = Self { line: 1, column: 0 };

    fn behind(before: &str) -> Self {
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        Self { line, column }
    }
}

fn is_something(json: &str, source: &str) -> Result<(), Failure> {
    match json.trim().is_empty() {
        true => {
            let failure = Failure::new(Exit::BadData, format!("{source} is empty"));
            Err(failure.hint("a message without fields is {}"))
        }
        false => Ok(()),
    }
}

/// What is wrong with a JSON text, with its place.
fn wrong(message: &MessageDescriptor, source: &str, start: Place) -> impl Fn(serde_json::Error) -> Failure {
    move |error| {
        // The place stands behind the sentence in serde_json's words; here it stands in front, as compilers have it.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let text = text.strip_suffix(&place).unwrap_or(&text);
        let line = start.line + error.line().saturating_sub(1);
        let before = if error.line() == 1 { start.column } else { 0 };
        let why = format!("{source}:{line}:{}: {text}", before + error.column());
        Failure::new(Exit::BadData, why).hint(format!(
            "`rpc describe {}` shows what it has",
            message.full_name()
        ))
    }
}

/// Decodes a message.
pub(crate) fn decode(message: &MessageDescriptor, body: Bytes) -> Result<Value, Failure> {
    let broken = |why: String| {
        let text = format!("what came is no {}: {why}", message.full_name());
        Failure::new(Exit::BadData, text).hint("the schema and the server may be of different versions")
    };
    let decoded = DynamicMessage::decode(message.clone(), body).map_err(|error| broken(error.to_string()))?;
    to_json(&decoded).map_err(|error| broken(error.to_string()))
}

/// A message as JSON: all fields, also those that are false, 0 or empty, so that one sees what there is, as they are declared.
pub(crate) fn to_json(message: &DynamicMessage) -> Result<Value, serde_json::Error> {
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = message.serialize_with_options(serde_json::value::Serializer, &options)?;
    put_in_order(&message.descriptor(), &mut json);
    Ok(json)
}

/// The fields of a message as they stand in its schema, which need not be the order of their numbers.
pub(crate) fn declared(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let mut fields: Vec<_> = message.fields().collect();
    fields.sort_by_key(|field| field.path().last().copied());
    fields
}

/// Has fields stand as they are declared, and entries of maps by their keys, which come in no order.
fn put_in_order(message: &MessageDescriptor, json: &mut Value) {
    match message.full_name() {
        "google.protobuf.Struct" | "google.protobuf.Value" | "google.protobuf.ListValue" => {
            json.sort_all_objects();
        }
        name => {
            if let Value::Object(fields) = json {
                match name {
                    "google.protobuf.Any" => put_any_in_order(message, fields),
                    _ => put_fields_in_order(message, fields),
                }
            }
        }
    }
}

fn put_fields_in_order(message: &MessageDescriptor, json: &mut Map<String, Value>) {
    let mut found = std::mem::take(json);
    for field in declared(message) {
        let Some((name, mut value)) = found.shift_remove_entry(field.json_name()) else {
            continue;
        };
        match (field.kind(), &mut value) {
            (Kind::Message(entry), Value::Object(entries)) if field.is_map() => {
                put_entries_in_order(&entry, entries);
            }
            (Kind::Message(item), Value::Array(items)) if field.is_list() => {
                items.iter_mut().for_each(|json| put_in_order(&item, json));
            }
            (Kind::Message(inner), json) => put_in_order(&inner, json),
            _ => {}
        }
        json.insert(name, value);
    }
    // Extensions.
    json.append(&mut found);
}

fn put_entries_in_order(entry: &MessageDescriptor, json: &mut Map<String, Value>) {
    let mut entries: Vec<_> = std::mem::take(json).into_iter().collect();
    let is_text = entry.map_entry_key_field().kind() == Kind::String;
    let number = |key: &str| key.parse::<i128>().ok().filter(|_| !is_text);
    entries.sort_by_cached_key(|(key, _)| (number(key), key.clone()));
    if let Kind::Message(of_value) = entry.map_entry_value_field().kind() {
        entries
            .iter_mut()
            .for_each(|(_, json)| put_in_order(&of_value, json));
    }
    json.extend(entries);
}

/// What is in an Any stands beside the name of its type, or, where it has a JSON of its own, below `value`.
fn put_any_in_order(any: &MessageDescriptor, json: &mut Map<String, Value>) {
    let Some((name, url)) = json.shift_remove_entry("@type") else {
        return;
    };
    let inner = url.as_str().and_then(|url| url.rsplit('/').next());
    if let Some(inner) = inner.and_then(|inner| any.parent_pool().get_message_by_name(inner)) {
        match json.get_mut("value") {
            Some(value) if inner.full_name().starts_with("google.protobuf.") => put_in_order(&inner, value),
            _ => put_fields_in_order(&inner, json),
        }
    }
    json.shift_insert(0, name, url);
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;
    use prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
    use prost_reflect::prost_types::{
        DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    };
    use serde_json::json;

    use super::*;

    fn task() -> MessageDescriptor {
        let field = |name: &str, number, kind: Type| FieldDescriptorProto {
            name: Some(name.to_owned()),
            number: Some(number),
            label: Some(Label::Optional as i32),
            r#type: Some(kind as i32),
            ..FieldDescriptorProto::default()
        };
        let file = FileDescriptorProto {
            name: Some("task.proto".to_owned()),
            package: Some("task".to_owned()),
            syntax: Some("proto3".to_owned()),
            message_type: vec![DescriptorProto {
                name: Some("Task".to_owned()),
                field: vec![
                    field("label", 1, Type::String),
                    field("done_at", 2, Type::Int64),
                    field("checked", 3, Type::Bool),
                ],
                ..DescriptorProto::default()
            }],
            ..FileDescriptorProto::default()
        };
        let pool = DescriptorPool::from_file_descriptor_set(FileDescriptorSet { file: vec![file] });
        pool.unwrap().get_message_by_name("task.Task").unwrap()
    }

    /// A message whose fields stand otherwise than their numbers.
    fn order() -> MessageDescriptor {
        let folder = tempfile::tempdir().unwrap();
        let schema = r#"syntax = "proto3";
            package order;
            import "google/protobuf/any.proto";
            import "google/protobuf/struct.proto";
            message Order {
                string label = 7;
                map<sint64, int32> counts = 6;
                map<string, Item> items = 1;
                repeated Item list = 5;
                google.protobuf.Any any = 2;
                google.protobuf.Struct facts = 3;
            }
            message Item { string text = 2; int32 number = 1; }"#;
        std::fs::write(folder.path().join("order.proto"), schema).unwrap();
        let set = protox::compile(["order.proto"], [folder.path()]).unwrap();
        let pool = DescriptorPool::from_file_descriptor_set(set).unwrap();
        pool.get_message_by_name("order.Order").unwrap()
    }

    #[test]
    fn json_goes_to_protobuf_and_back_with_every_field_shown() {
        let body = encode(
            &task(),
            r#"{"label": "milk", "doneAt": "9007199254740993"}"#,
            "x",
            1,
        )
        .unwrap();
        assert_eq!(
            body,
            [
                &b"\x0a\x04milk\x10"[..],
                &[0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]
            ]
            .concat()
        );
        let shown = decode(&task(), body).unwrap();
        assert_eq!(
            shown,
            json!({"label": "milk", "doneAt": "9007199254740993", "checked": false})
        );
    }

    #[test]
    fn fields_are_shown_as_they_are_declared_and_entries_of_maps_by_their_keys() {
        let ends = |written: &str, shown: &str, message: &MessageDescriptor| {
            let body = encode(message, written, "x", 1).unwrap();
            assert_eq!(decode(message, body).unwrap().to_string(), shown);
        };
        let order = order();
        // By numbers, `items` and `any` would come first; and by the alphabet, all would stand otherwise.
        ends(
            r#"{"items": {"b": {"number": 2}, "a": {}}, "label": "x", "counts": {"10": 1, "-9": 2, "9": 3}}"#,
            r#"{"label":"x","counts":{"-9":2,"9":3,"10":1},"items":{"a":{"text":"","number":0},"b":{"text":"","number":2}},"list":[]}"#,
            &order,
        );
        ends(
            r#"{"list": [{"number": 1, "text": "a"}], "facts": {"z": 1, "b": {"d": 1, "c": 2}, "a": [{"y": 1, "x": 2}]}}"#,
            r#"{"label":"","counts":{},"items":{},"list":[{"text":"a","number":1}],"facts":{"a":[{"x":2.0,"y":1.0}],"b":{"c":2.0,"d":1.0},"z":1.0}}"#,
            &order,
        );
        ends(
            r#"{"any": {"@type": "type.googleapis.com/order.Item", "number": 1, "text": "a"}}"#,
            r#"{"label":"","counts":{},"items":{},"list":[],"any":{"@type":"type.googleapis.com/order.Item","text":"a","number":1}}"#,
            &order,
        );
        ends(
            r#"{"any": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"b": 1, "a": 2}}}"#,
            r#"{"label":"","counts":{},"items":{},"list":[],"any":{"@type":"type.googleapis.com/google.protobuf.Struct","value":{"a":2.0,"b":1.0}}}"#,
            &order,
        );
    }

    #[test]
    fn what_is_wrong_with_json_is_told_with_its_line_and_column() {
        for (json, place) in [
            (
                "{\n  \"label\": \"milk\",\n  \"colour\": 1\n}",
                "tasks.json:9:10: ",
            ),
            ("{\"label\": 1}", "tasks.json:7:11: "),
            ("{\"label\": \"milk\"", "tasks.json:7:16: "),
            ("{} {}", "tasks.json:7:4: "),
            ("{\n", "tasks.json:8:0: "),
        ] {
            let failure = encode(&task(), json, "tasks.json", 7).unwrap_err();
            assert_eq!(failure.exit, Exit::BadData);
            assert!(failure.to_string().starts_with(place), "{json:?}: {failure}");
            assert!(!failure.to_string().contains(" at line "), "{failure}");
        }
        let failure = encode(&task(), " \n", "tasks.json", 7).unwrap_err();
        assert_eq!(
            (failure.exit, &*failure.to_string()),
            (Exit::BadData, "tasks.json is empty")
        );
    }

    #[test]
    fn one_text_behind_another_is_a_message_each_until_one_is_wrong() {
        let task = task();
        let labels = |json: &str| -> Vec<String> {
            let bodies = each(&task, json, "tasks.jsonl").unwrap();
            bodies
                .map(|body| match body {
                    Ok(body) => decode(&task, body).unwrap()["label"].as_str().unwrap().to_owned(),
                    Err(failure) => failure.to_string(),
                })
                .collect()
        };
        let right = "{\"label\": \"a\"}{\"label\": \"\u{e9} \\n \\ud83d\\ude00\"}\n\n {\n}\n";
        assert_eq!(labels(right), ["a", "\u{e9} \n \u{1f600}", ""]);
        for (json, whole, place) in [
            ("{}\n{\"label\": 1}\n{}", 1, "tasks.jsonl:2:11: "),
            ("{} {\"colour\": 1}", 1, "tasks.jsonl:1:12: "),
            ("{}\n\n{} x", 2, "tasks.jsonl:3:4: "),
            ("{}\n{\"label\": \"milk\"", 1, "tasks.jsonl:2:16: "),
        ] {
            let told = labels(json);
            assert_eq!(told.len(), whole + 1, "{json:?}: {told:?}");
            assert!(told[whole].starts_with(place), "{json:?}: {told:?}");
        }
        let failure = each(&task, "\n", "tasks.jsonl").err().unwrap();
        assert_eq!(failure.to_string(), "tasks.jsonl is empty");
    }

    #[test]
    fn a_body_that_is_no_such_message_is_told() {
        let failure = decode(&task(), Bytes::from_static(&[0x0a, 0x7f])).unwrap_err();
        assert!(failure.to_string().contains("task.Task"), "{failure}");
    }
}
