//! The descriptor set that is left behind: descriptors as they were compiled, and with them the comments, which are the docs of
//! the contracts. Where in its text a declaration stands is of no use to anybody else, so that places without a comment are left out.

use crate::descriptor::Compiled;
use prost::encoding::{self, WireType};
use prost::{DecodeError, Message};
use prost_types::source_code_info::Location;
use prost_types::{FileDescriptorProto, SourceCodeInfo};

/// Where a `FileDescriptorProto` has its comments.
const SOURCE_CODE_INFO: u32 = 9;

/// Where a `FileDescriptorSet` has its files.
const FILE: u32 = 1;

/// All files that were compiled, each behind those that it imports, with custom options and comments.
pub(crate) fn encode(compiled: &Compiled) -> Result<Vec<u8>, String> {
    with_comments(compiled)
        .map_err(|error| format!("the compiled schemas are broken, which is a mistake of rpc-build: {error}"))
}

fn with_comments(compiled: &Compiled) -> Result<Vec<u8>, DecodeError> {
    let set = compiled.encode();
    let mut documented = Vec::with_capacity(set.len());
    for_each_field(&set, |number, value, whole| {
        let Some(file) = value.filter(|_| number == FILE) else {
            documented.extend_from_slice(whole);
            return Ok(());
        };
        let name = FileDescriptorProto::decode(file)?.name().to_owned();
        let (mut bare, told) = without_comments(file)?;
        let comments = compiled.comments.get(&name).or(told.as_ref()).map(commented);
        if let Some(comments) = comments.filter(|comments| !comments.location.is_empty()) {
            encoding::message::encode(SOURCE_CODE_INFO, &comments, &mut bare);
        }
        encoding::bytes::encode(FILE, &bare, &mut documented);
        Ok(())
    })?;
    Ok(documented)
}

/// A file taken apart. What is not known here, such as a custom option, stays as it is.
fn without_comments(file: &[u8]) -> Result<(Vec<u8>, Option<SourceCodeInfo>), DecodeError> {
    let mut bare = Vec::with_capacity(file.len());
    let mut comments = None;
    for_each_field(file, |number, value, whole| {
        match value.filter(|_| number == SOURCE_CODE_INFO) {
            Some(value) => comments = Some(SourceCodeInfo::decode(value)?),
            None => bare.extend_from_slice(whole),
        }
        Ok(())
    })?;
    Ok((bare, comments))
}

/// The places that have a comment.
fn commented(info: &SourceCodeInfo) -> SourceCodeInfo {
    let has_comment = |location: &&Location| {
        location.leading_comments.is_some()
            || location.trailing_comments.is_some()
            || !location.leading_detached_comments.is_empty()
    };
    SourceCodeInfo {
        location: info.location.iter().filter(has_comment).cloned().collect(),
    }
}

/// Shows every field of an encoded message: its number, its value where it has a length, and all of its bytes.
fn for_each_field(
    message: &[u8],
    mut show: impl FnMut(u32, Option<&[u8]>, &[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut rest = message;
    while !rest.is_empty() {
        let field = rest;
        let (number, wire_type) = encoding::decode_key(&mut rest)?;
        let mut value = rest;
        encoding::skip_field(wire_type, number, &mut rest, Default::default())?;
        let whole = &field[..field.len() - rest.len()];
        let value = match wire_type {
            WireType::LengthDelimited => {
                encoding::decode_varint(&mut value)?;
                Some(&value[..value.len() - rest.len()])
            }
            _ => None,
        };
        show(number, value, whole)?;
    }
    Ok(())
}
