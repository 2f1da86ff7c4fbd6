//! Takes an import out of descriptors that need it for custom options alone. The options are bytes, and stay.

use super::PluginError;
use super::schemas::File;
use prost::encoding;
use prost_types::{DescriptorProto, FileDescriptorProto};
use std::collections::BTreeSet;

/// Where a `FileDescriptorProto` has the names of its imports, and places among them.
const DEPENDENCY: u32 = 3;
const PUBLIC_DEPENDENCY: u32 = 10;
const WEAK_DEPENDENCY: u32 = 11;

/// Takes the import out of all files. It is an error if one has a type of it.
pub(super) fn remove(files: &mut [File], name: &str) -> Result<(), PluginError> {
    let removed = files.iter().find(|file| file.read.name() == name);
    let types = removed.map(|file| types(&file.read)).unwrap_or_default();
    for file in files.iter_mut() {
        // Also a file that does not import it itself may have its types, by another's `import public`.
        let used = uses(&file.read).find(|(_, used)| types.contains(used));
        if let Some((user, used)) = used.filter(|_| file.read.name() != name) {
            return Err(PluginError::Schema(format!(
                "`{}` cannot do without the import of `{name}`: `{user}` has the type `{used}`",
                file.read.name()
            )));
        }
        let Some(place) = file.read.dependency.iter().position(|import| import == name) else {
            continue;
        };
        file.bytes = without(&file.bytes, name, place).map_err(|error| {
            PluginError::Schema(format!("`{}` does not decode: {error}", file.read.name()))
        })?;
        file.read.dependency.remove(place);
    }
    Ok(())
}

/// The encoded file without one import; those that others have by place follow.
fn without(mut bytes: &[u8], name: &str, place: usize) -> Result<Vec<u8>, prost::DecodeError> {
    let mut kept = Vec::with_capacity(bytes.len());
    while !bytes.is_empty() {
        let record = bytes;
        let (number, wire_type) = encoding::decode_key(&mut bytes)?;
        match number {
            DEPENDENCY => {
                let mut import = String::new();
                encoding::string::merge(wire_type, &mut import, &mut bytes, Default::default())?;
                if import == name {
                    continue;
                }
            }
            PUBLIC_DEPENDENCY | WEAK_DEPENDENCY => {
                let mut places = Vec::<i32>::new();
                encoding::int32::merge_repeated(wire_type, &mut places, &mut bytes, Default::default())?;
                let at = i32::try_from(place).unwrap_or(i32::MAX);
                places.retain(|other| *other != at);
                for other in &mut places {
                    *other -= i32::from(*other > at);
                }
                encoding::int32::encode_repeated(number, &places, &mut kept);
                continue;
            }
            _ => encoding::skip_field(wire_type, number, &mut bytes, Default::default())?,
        }
        kept.extend_from_slice(&record[..record.len() - bytes.len()]);
    }
    Ok(kept)
}

/// The full names of the messages and enums of a file, with the dot in front that references have.
fn types(file: &FileDescriptorProto) -> BTreeSet<String> {
    fn add(message: &DescriptorProto, scope: &str, types: &mut BTreeSet<String>) {
        let full_name = format!("{scope}.{}", message.name());
        for nested in &message.nested_type {
            add(nested, &full_name, types);
        }
        types.extend(
            message
                .enum_type
                .iter()
                .map(|item| format!("{full_name}.{}", item.name())),
        );
        types.insert(full_name);
    }
    let scope = match file.package() {
        "" => String::new(),
        package => format!(".{package}"),
    };
    let mut types = BTreeSet::new();
    for message in &file.message_type {
        add(message, &scope, &mut types);
    }
    types.extend(
        file.enum_type
            .iter()
            .map(|item| format!("{scope}.{}", item.name())),
    );
    types
}

/// The types that a file has, and who has them.
fn uses(file: &FileDescriptorProto) -> impl Iterator<Item = (String, String)> {
    fn add(message: &DescriptorProto, scope: &str, uses: &mut Vec<(String, String)>) {
        let full_name = format!("{scope}{}", message.name());
        for field in message.field.iter().chain(&message.extension) {
            let user = format!("{full_name}.{}", field.name());
            uses.push((user.clone(), field.type_name().to_owned()));
            uses.push((user, field.extendee().to_owned()));
        }
        for nested in &message.nested_type {
            add(nested, &format!("{full_name}."), uses);
        }
    }
    let mut uses = Vec::new();
    for message in &file.message_type {
        add(message, "", &mut uses);
    }
    for extension in &file.extension {
        for used in [extension.type_name(), extension.extendee()] {
            uses.push((extension.name().to_owned(), used.to_owned()));
        }
    }
    for service in &file.service {
        for method in &service.method {
            for used in [method.input_type(), method.output_type()] {
                uses.push((format!("{}.{}", service.name(), method.name()), used.to_owned()));
            }
        }
    }
    uses.into_iter()
}
