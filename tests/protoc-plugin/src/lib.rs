//! As much of protoc's plugin protocol as the tests look at. Options are bytes here, so that custom ones show.

use prost::Message;

/// `google.protobuf.compiler.CodeGeneratorRequest`.
#[derive(Clone, PartialEq, Message)]
pub struct Request {
    /// The names of the files to generate for.
    #[prost(string, repeated, tag = "1")]
    pub file_to_generate: Vec<String>,
    /// The plugin's options.
    #[prost(string, optional, tag = "2")]
    pub parameter: Option<String>,
    /// Each file behind those that it imports.
    #[prost(message, repeated, tag = "15")]
    pub proto_file: Vec<File>,
}

/// `google.protobuf.FileDescriptorSet`.
#[derive(Clone, PartialEq, Message)]
pub struct Set {
    /// Each behind those that it imports.
    #[prost(message, repeated, tag = "1")]
    pub file: Vec<File>,
}

/// `google.protobuf.FileDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct File {
    /// As an `import` writes it.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it imports.
    #[prost(string, repeated, tag = "3")]
    pub dependency: Vec<String>,
    /// Its messages.
    #[prost(message, repeated, tag = "4")]
    pub message_type: Vec<Type>,
    /// Its comments.
    #[prost(message, optional, tag = "9")]
    pub source_code_info: Option<Comments>,
    /// Places among the imports.
    #[prost(int32, repeated, packed = "false", tag = "10")]
    pub public_dependency: Vec<i32>,
}

/// `google.protobuf.DescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Type {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its fields.
    #[prost(message, repeated, tag = "2")]
    pub field: Vec<Field>,
}

/// `google.protobuf.FieldDescriptorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Field {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// `google.protobuf.FieldOptions` as they came.
    #[prost(bytes = "vec", tag = "8")]
    pub options: Vec<u8>,
    /// Its name in JSON.
    #[prost(string, tag = "10")]
    pub json_name: String,
}

/// `google.protobuf.SourceCodeInfo`.
#[derive(Clone, PartialEq, Message)]
pub struct Comments {
    /// One for each place.
    #[prost(message, repeated, tag = "1")]
    pub location: Vec<Comment>,
}

/// `google.protobuf.SourceCodeInfo.Location`.
#[derive(Clone, PartialEq, Message)]
pub struct Comment {
    /// The lines above the place.
    #[prost(string, tag = "3")]
    pub leading_comments: String,
}

/// `google.protobuf.compiler.CodeGeneratorResponse`.
#[derive(Clone, PartialEq, Message)]
pub struct Response {
    /// What is wrong with the schemas.
    #[prost(string, optional, tag = "1")]
    pub error: Option<String>,
    /// The bits of what the plugin knows of.
    #[prost(uint64, optional, tag = "2")]
    pub supported_features: Option<u64>,
    /// What it has generated.
    #[prost(message, repeated, tag = "15")]
    pub file: Vec<Piece>,
}

/// `google.protobuf.compiler.CodeGeneratorResponse.File`.
#[derive(Clone, PartialEq, Message)]
pub struct Piece {
    /// Where it goes; without, to the end of the one before.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Where in another plugin's file it goes.
    #[prost(string, optional, tag = "2")]
    pub insertion_point: Option<String>,
    /// The text.
    #[prost(string, optional, tag = "15")]
    pub content: Option<String>,
}

impl Piece {
    /// A file.
    pub fn new(name: &str, content: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            insertion_point: None,
            content: Some(content.to_owned()),
        }
    }
}
