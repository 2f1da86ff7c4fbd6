//! Finds the contract that a violation is shown at.

use crate::breaking::{Element, Violation};
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use rpc_schema::resolve::{Origin, Schema};

/// The key of the item, field, value or method that a macro shows the violation at; nothing where none is left.
pub(super) fn key(violation: &Violation, schema: &Schema) -> Option<String> {
    let element = violation.anchor.as_ref()?;
    let owner = element.owner()?;
    if let Some(contract) = of_controller(owner, schema) {
        return Some(contract);
    }
    if !is_contract(owner, schema) {
        return None;
    }
    Some(match element {
        Element::Field { message, name, .. } => format!("{message}.{name}"),
        Element::EnumValue {
            enumeration, name, ..
        } => format!("{enumeration}.{name}"),
        Element::Method { service, name } => format!("{service}.{name}"),
        _ => owner.to_owned(),
    })
}

/// The contract whose controller brought a message or service.
fn of_controller(owner: &str, schema: &Schema) -> Option<String> {
    schema
        .files
        .iter()
        .flat_map(|file| &file.services)
        .find_map(|service| {
            let Origin::Crud(crud) = &service.origin else {
                return None;
            };
            let brings = service.full_name == owner || service.brings().contains(&owner);
            brings.then(|| crud.contract.clone())
        })
}

fn is_contract(owner: &str, schema: &Schema) -> bool {
    file(owner, schema).is_some()
}

/// The path of the file that a message, enum or service is in, with the default directory in front.
pub(super) fn file<'a>(owner: &str, schema: &'a Schema) -> Option<&'a str> {
    let found = schema.files.iter().find(|file| {
        file.messages.iter().any(|message| message.full_name == owner)
            || file.enums.iter().any(|item| item.full_name == owner)
            || file.services.iter().any(|service| service.full_name == owner)
    })?;
    Some(&found.path)
}

/// The files, as they are imported, that an element was promised in.
pub(super) fn files_before<'a>(element: &Element, before: &'a FileDescriptorSet) -> Vec<&'a str> {
    let holds = |file: &&FileDescriptorProto| match (element, element.owner()) {
        (Element::File { path }, _) => file.name() == path,
        (Element::Package { name }, _) => file.package() == name,
        (_, Some(owner)) => declares(file, owner),
        (_, None) => false,
    };
    before
        .file
        .iter()
        .filter(holds)
        .map(FileDescriptorProto::name)
        .collect()
}

/// Whether a message, enum or service is in a file; a message inside of another is where that is.
fn declares(file: &FileDescriptorProto, owner: &str) -> bool {
    let name = owner
        .strip_prefix(file.package())
        .and_then(|rest| rest.strip_prefix('.'));
    let Some(name) = name.and_then(|name| name.split('.').next()) else {
        return false;
    };
    file.message_type.iter().any(|message| message.name() == name)
        || file.enum_type.iter().any(|item| item.name() == name)
        || file.service.iter().any(|service| service.name() == name)
}
