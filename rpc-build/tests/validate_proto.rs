//! Proves that the vendored `buf/validate/validate.proto` compiles without protoc, and that the rules written with it
//! survive into the descriptor set that is handed on.

use prost::Message;
use prost_types::FileDescriptorSet;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};

const VALIDATE: &str = include_str!("../protos/buf/validate/validate.proto");

const TASK: &str = r#"
syntax = "proto3";
package task;
import "buf/validate/validate.proto";
message Task {
  string label = 1 [(buf.validate.field).string = { min_len: 1, max_len: 200 }];
  repeated string tags = 2 [(buf.validate.field).repeated = { max_items: 8, items: { string: { min_len: 1 } } }];
  Task parent = 3 [(buf.validate.field).required = true];
}
"#;

struct InMemory;

impl FileResolver for InMemory {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "buf/validate/validate.proto" => File::from_source(name, VALIDATE),
            "task/task.proto" => File::from_source(name, TASK),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// The descriptor set of `TASK` and all that it imports, as the compiler encodes it.
fn compile() -> Vec<u8> {
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    resolver.add(InMemory);
    let mut compiler = protox::Compiler::with_file_resolver(resolver);
    compiler
        .include_imports(true)
        .open_file("task/task.proto")
        .expect("it compiles");
    compiler.encode_file_descriptor_set()
}

/// `FieldOptions` as a message that knows the extension, which prost's own does not.
#[derive(Clone, PartialEq, Message)]
struct OptionsWithRules {
    #[prost(message, optional, tag = "1159")]
    rules: Option<FieldRules>,
}

#[derive(Clone, PartialEq, Message)]
struct FieldRules {
    #[prost(message, optional, tag = "14")]
    string: Option<StringRules>,
    #[prost(bool, optional, tag = "25")]
    required: Option<bool>,
}

#[derive(Clone, PartialEq, Message)]
struct StringRules {
    #[prost(uint64, optional, tag = "2")]
    min_len: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    max_len: Option<u64>,
}

/// A descriptor set that is read down to the options of fields, and no deeper than this test needs.
#[derive(Clone, PartialEq, Message)]
struct Set {
    #[prost(message, repeated, tag = "1")]
    file: Vec<SetFile>,
}

#[derive(Clone, PartialEq, Message)]
struct SetFile {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, repeated, tag = "4")]
    message: Vec<SetMessage>,
}

#[derive(Clone, PartialEq, Message)]
struct SetMessage {
    #[prost(message, repeated, tag = "2")]
    field: Vec<SetField>,
}

#[derive(Clone, PartialEq, Message)]
struct SetField {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, optional, tag = "8")]
    options: Option<OptionsWithRules>,
}

#[test]
fn rules_survive_in_the_raw_descriptor_set() {
    let bytes = compile();
    let set = Set::decode(bytes.as_slice()).expect("it is a descriptor set");
    let task = set
        .file
        .iter()
        .find(|file| file.name() == "task/task.proto")
        .expect("the file is in it");
    let rules = |name: &str| {
        let field = task.message[0]
            .field
            .iter()
            .find(|field| field.name() == name)
            .expect("the field is in it");
        field
            .options
            .clone()
            .and_then(|options| options.rules)
            .expect("the field has rules")
    };
    assert_eq!(
        rules("label").string,
        Some(StringRules {
            min_len: Some(1),
            max_len: Some(200)
        })
    );
    assert_eq!(rules("parent").required, Some(true));
}

/// The reason why the raw bytes are handed on, and not what prost-types makes of them.
#[test]
fn rules_are_lost_on_the_way_through_prost_types() {
    let bytes = compile();
    let through = FileDescriptorSet::decode(bytes.as_slice())
        .expect("it is a descriptor set")
        .encode_to_vec();
    let set = Set::decode(through.as_slice()).expect("it is a descriptor set");
    let task = set
        .file
        .iter()
        .find(|file| file.name() == "task/task.proto")
        .expect("the file is in it");
    assert!(
        task.message[0]
            .field
            .iter()
            .all(|field| field.options.as_ref().is_none_or(|it| it.rules.is_none()))
    );
}
