//! Messages whose types are known from descriptors: from JSON to protobuf and back, as protobuf maps them.

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde_json::Value;

use crate::failure::{Exit, Failure};

/// Encodes a JSON text. `source` and `first_line` say where it stands, for what is wrong with it.
pub(crate) fn encode(
    message: &MessageDescriptor,
    json: &str,
    source: &str,
    first_line: usize,
) -> Result<Bytes, Failure> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let read = DynamicMessage::deserialize(message.clone(), &mut deserializer)
        .and_then(|read| deserializer.end().map(|()| read));
    let read = read.map_err(|error| {
        // The place stands behind the sentence in serde_json's words; here it stands in front, as compilers have it.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let text = error.to_string();
        let text = text.strip_suffix(&place).unwrap_or(&text);
        let line = first_line + error.line().saturating_sub(1);
        let why = format!("{source}:{line}:{}: {text}", error.column());
        Failure::new(Exit::BadData, why).hint(format!(
            "`rpc describe {}` shows what it has",
            message.full_name()
        ))
    })?;
    Ok(read.encode_to_vec().into())
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

/// A message as JSON: all fields, also those that are false, 0 or empty, so that one sees what there is.
pub(crate) fn to_json(message: &DynamicMessage) -> Result<Value, serde_json::Error> {
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options)
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
    fn what_is_wrong_with_json_is_told_with_its_line_and_column() {
        for (json, place) in [
            (
                "{\n  \"label\": \"milk\",\n  \"colour\": 1\n}",
                "tasks.json:9:10: ",
            ),
            ("{\"label\": 1}", "tasks.json:7:11: "),
            ("{\"label\": \"milk\"", "tasks.json:7:16: "),
            ("{} {}", "tasks.json:7:4: "),
            ("", "tasks.json:7:0: "),
        ] {
            let failure = encode(&task(), json, "tasks.json", 7).unwrap_err();
            assert_eq!(failure.exit, Exit::BadData);
            assert!(failure.to_string().starts_with(place), "{json:?}: {failure}");
            assert!(!failure.to_string().contains(" at line "), "{failure}");
        }
    }

    #[test]
    fn a_body_that_is_no_such_message_is_told() {
        let failure = decode(&task(), Bytes::from_static(&[0x0a, 0x7f])).unwrap_err();
        assert!(failure.to_string().contains("task.Task"), "{failure}");
    }
}
