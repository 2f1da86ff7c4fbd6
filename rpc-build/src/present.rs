//! The part of a schema that code is generated for: what is behind features that are off is promised, and not there.

use rpc_schema::resolve::{Origin, Schema};
use std::collections::BTreeSet;

/// All full names that are not there, given those of the contracts: also what their controllers bring.
pub(crate) fn absent(schema: &Schema, contracts: &BTreeSet<String>) -> BTreeSet<String> {
    let mut names = contracts.clone();
    if contracts.is_empty() {
        return names;
    }
    for service in schema.files.iter().flat_map(|file| &file.services) {
        let Origin::Crud(crud) = &service.origin else {
            continue;
        };
        if contracts.contains(&crud.contract) {
            names.insert(service.full_name.clone());
            let brought = service.brings().into_iter();
            names.extend(brought.filter(|name| is_brought(schema, name)).map(str::to_owned));
        }
    }
    names
}

/// Whether a message is one of a controller's, which no contract is.
fn is_brought(schema: &Schema, name: &str) -> bool {
    let mut messages = schema.files.iter().flat_map(|file| &file.messages);
    messages.any(|message| message.full_name == name && message.rust.is_none())
}

/// The schema without what is not there. Its files stay, also where nothing is left in them.
pub(crate) fn of(schema: &Schema, contracts: &BTreeSet<String>) -> Schema {
    let absent = absent(schema, contracts);
    let mut schema = schema.clone();
    for file in &mut schema.files {
        file.messages
            .retain(|message| !absent.contains(&message.full_name));
        file.enums.retain(|item| !absent.contains(&item.full_name));
        file.services
            .retain(|service| !absent.contains(&service.full_name));
    }
    schema
}
