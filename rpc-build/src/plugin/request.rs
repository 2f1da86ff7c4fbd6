//! What a plugin is asked: `google.protobuf.compiler.CodeGeneratorRequest`, field by field.
//!
//! The files are the bytes that the compiler gave. Decoded and encoded again they would lose their custom options, which
//! prost's types have no place for.

use super::DescriptorSet;
use prost::encoding::{bytes, string};

const FILE_TO_GENERATE: u32 = 1;
const PARAMETER: u32 = 2;
const PROTO_FILE: u32 = 15;

/// Encodes a request for these files, with everything that they import in front of them.
///
/// `compiler_version` is left out: it is that of protoc, and there is none.
pub(super) fn encode(schemas: &DescriptorSet, files: &[String], parameter: &str) -> Vec<u8> {
    let mut request = Vec::new();
    string::encode_repeated(FILE_TO_GENERATE, files, &mut request);
    if !parameter.is_empty() {
        string::encode(PARAMETER, &parameter.to_owned(), &mut request);
    }
    for file in schemas.needed(files) {
        bytes::encode(PROTO_FILE, &file.bytes, &mut request);
    }
    request
}
