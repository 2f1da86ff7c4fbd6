//! What `removed("…")` means: a message, or a method of the service that the contract is or brings.

use super::schema::File;
use crate::model::Item;
use std::collections::BTreeMap;

/// A name that a contract declares gone.
pub(super) struct Gone {
    /// The contract's file.
    path: String,
    /// The service that the contract is or brings.
    service: Option<String>,
    name: String,
}

/// The declarations of one contract.
pub(super) fn of(item: &Item, path: &str) -> Vec<Gone> {
    let service = match item {
        Item::Service(service) => Some(service.common.name.clone()),
        Item::Message(message) => message
            .crud
            .as_ref()
            .map(|crud| format!("{}Service", crud.controller)),
        Item::Enum(_) => None,
    };
    let names = item.common().removed.iter();
    names
        .map(|name| Gone {
            path: path.to_owned(),
            service: service.clone(),
            name: name.clone(),
        })
        .collect()
}

/// Enters the declarations into the files, relative to their package: `Note`, `TaskService/PinTask`.
///
/// Beside a service a bare name may mean a message or a method. It means both, but not what is still there: a method
/// `Quote` can be gone while the message `Quote` stays.
pub(super) fn enter(gone: Vec<Gone>, files: &mut BTreeMap<String, File>) {
    for one in gone {
        let Some(package) = files.get(&one.path).map(|file| file.package.clone()) else {
            continue;
        };
        let own = || files.values().filter(|file| file.package == package);
        let named = own().any(|file| {
            file.messages.iter().any(|message| message.name == one.name)
                || file.enums.iter().any(|item| item.name == one.name)
                || file.services.iter().any(|service| service.name == one.name)
        });
        let called = own().flat_map(|file| &file.services).any(|service| {
            Some(&service.name) == one.service.as_ref()
                && service.methods.iter().any(|method| method.name == one.name)
        });
        let Some(file) = files.get_mut(&one.path) else {
            continue;
        };
        let method = one.service.map(|service| format!("{service}/{}", one.name));
        match method.filter(|_| !one.name.contains('/')) {
            None => {
                file.removed.insert(one.name);
            }
            Some(method) => {
                if !named {
                    file.removed.insert(one.name);
                }
                if named || !called {
                    file.removed.insert(method);
                }
            }
        }
    }
}
