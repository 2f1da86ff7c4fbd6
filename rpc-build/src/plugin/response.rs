//! What a plugin answers: `google.protobuf.compiler.CodeGeneratorResponse`, and which of it is taken.

use super::process::Answered;
use super::{DescriptorSet, PluginError};
use prost::Message;
use prost_types::FileDescriptorProto;
use prost_types::compiler::{CodeGeneratorResponse, code_generator_response as answer};
use std::collections::BTreeMap;
use std::path::Path;

/// The bits of `supported_features`.
const PROTO3_OPTIONAL: u64 = 1;
const EDITIONS: u64 = 2;

/// Reads an answer: generated files by their names, which stay inside of the folder that they go to.
pub(super) fn read(
    program: &Path,
    answered: &Answered,
    schemas: &DescriptorSet,
    files: &[String],
) -> Result<BTreeMap<String, String>, PluginError> {
    let refused = |problem: String| PluginError::Response {
        program: program.to_owned(),
        problem,
    };
    let response = CodeGeneratorResponse::decode(answered.response.as_slice())
        .map_err(|error| refused(format!("it is no `CodeGeneratorResponse`: {error}")))?;
    if let Some(message) = response.error.filter(|error| !error.is_empty()) {
        return Err(PluginError::Reported {
            program: program.to_owned(),
            message,
        });
    }
    let features = response.supported_features.unwrap_or_default();
    for file in files.iter().filter_map(|name| schemas.file(name)) {
        supports(features, &file.read).map_err(refused)?;
    }
    gather(response.file).map_err(refused)
}

/// Who does not know a feature would generate wrong code for it, not none.
fn supports(features: u64, file: &FileDescriptorProto) -> Result<(), String> {
    let (name, what) = match file.syntax() {
        "editions" if features & EDITIONS == 0 => (file.name(), "is written for an edition of protobuf"),
        "proto3" if features & PROTO3_OPTIONAL == 0 && has_optional(file) => {
            (file.name(), "has `optional` fields in proto3")
        }
        _ => return Ok(()),
    };
    Err(format!(
        "`{name}` {what}, and the plugin does not say that it knows of that; a later version of it may"
    ))
}

fn has_optional(file: &FileDescriptorProto) -> bool {
    let mut messages: Vec<_> = file.message_type.iter().collect();
    while let Some(message) = messages.pop() {
        if message.field.iter().any(|field| field.proto3_optional()) {
            return true;
        }
        messages.extend(&message.nested_type);
    }
    false
}

/// Puts files together from their pieces: one without a name goes on with the one before it.
fn gather(pieces: Vec<answer::File>) -> Result<BTreeMap<String, String>, String> {
    let mut files = BTreeMap::<String, String>::new();
    let mut current = None;
    for piece in pieces {
        let name = piece.name.as_deref().filter(|name| !name.is_empty());
        if let Some(point) = piece.insertion_point.as_deref().filter(|point| !point.is_empty()) {
            return Err(format!(
                "it inserts into a file of another plugin, at `{point}` of `{}`, which protoc does and this does not; use a \
                 plugin that generates whole files",
                name.unwrap_or_default()
            ));
        }
        if let Some(name) = name {
            check_name(name)?;
            if files.contains_key(name) {
                return Err(format!("it has the file `{name}` twice"));
            }
            files.insert(name.to_owned(), String::new());
            current = Some(name.to_owned());
        }
        let file = current.as_ref().and_then(|name| files.get_mut(name));
        let file = file.ok_or("its first file has no name")?;
        file.push_str(piece.content.as_deref().unwrap_or_default());
    }
    // A file where another has a folder.
    for name in files.keys() {
        let above = name.match_indices('/').map(|(at, _)| &name[..at]);
        if let Some(folder) = above.into_iter().find(|folder| files.contains_key(*folder)) {
            return Err(format!("`{folder}` is both a file and the folder of `{name}`"));
        }
    }
    Ok(files)
}

/// A name has to stay inside of the folder, on every system.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let leaves = name
        .split('/')
        .any(|part| matches!(part, "" | "." | "..") || part.contains(['\\', ':']));
    if leaves || name.chars().any(char::is_control) {
        return Err(format!(
            "the file name {name:?} is not a path below the output folder, with `/` between its parts"
        ));
    }
    Ok(())
}
