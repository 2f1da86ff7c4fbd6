//! Checks across items: names that are given twice, files that would import each other.

use super::{Origin, Resolver, Scanned};
use std::collections::{BTreeMap, BTreeSet};

impl Resolver<'_> {
    pub(super) fn check_duplicates(&mut self, scanned: &Scanned) {
        let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (at, item) in scanned.items.iter().enumerate() {
            owners
                .entry(item.item.common().full_name())
                .or_default()
                .push(self.names.rust_path(at));
        }
        let mut keys: BTreeSet<String> = owners.keys().cloned().collect();
        for file in self.files.values() {
            for service in &file.services {
                if let Origin::Crud(crud) = &service.origin {
                    let source = format!("the controller of `{}`", crud.rust);
                    owners
                        .entry(service.full_name.clone())
                        .or_default()
                        .push(source.clone());
                    for message in file.messages.iter().filter(|message| message.rust.is_none()) {
                        if service.methods.iter().any(|method| {
                            [&method.request, &method.response]
                                .iter()
                                .any(|ty| ty.ty.full_name() == Some(&message.full_name))
                        }) {
                            owners
                                .entry(message.full_name.clone())
                                .or_default()
                                .push(source.clone());
                        }
                    }
                    if owners
                        .get(&service.full_name)
                        .is_some_and(|owners| owners.len() > 1)
                    {
                        keys.insert(crud.contract.clone());
                    }
                }
            }
        }
        for (full_name, owners) in owners {
            if owners.len() > 1 {
                let key = if keys.contains(&full_name) {
                    full_name.clone()
                } else {
                    self.contract_of(&full_name)
                };
                self.problem(
                    key,
                    format!(
                        "two contracts have the full name `{full_name}`: {}; rename one, or put it into another package",
                        owners.join(" and ")
                    ),
                );
            }
        }
    }

    /// The contract whose controller gave a service or message its name.
    fn contract_of(&self, full_name: &str) -> String {
        self.files
            .values()
            .flat_map(|file| &file.services)
            .find_map(|service| match &service.origin {
                Origin::Crud(crud)
                    if service.full_name == full_name || full_name.ends_with(&service.name) =>
                {
                    Some(crud.contract.clone())
                }
                Origin::Crud(crud)
                    if service.methods.iter().any(|method| {
                        [&method.request, &method.response]
                            .iter()
                            .any(|ty| ty.ty.full_name() == Some(full_name))
                    }) =>
                {
                    Some(crud.contract.clone())
                }
                _ => None,
            })
            .unwrap_or_else(|| full_name.to_owned())
    }

    /// Protobuf files cannot import each other in a circle, which Rust modules may.
    pub(super) fn check_import_cycles(&mut self) {
        let imports: BTreeMap<String, BTreeSet<String>> = self
            .files
            .values()
            .map(|file| (file.import_name.clone(), file.imports()))
            .collect();
        let mut found = Vec::new();
        for file in self.files.values() {
            for message in &file.messages {
                for field in &message.fields {
                    let Some(other) = field.ty.file().filter(|other| *other != file.import_name) else {
                        continue;
                    };
                    if reaches(&imports, other, &file.import_name) {
                        found.push((
                            format!("{}.{}", message.full_name, field.name),
                            format!(
                                "`{}` and `{other}` would import each other, which protobuf does not allow; move one of the types \
                                 to the other's package, or both to a third",
                                file.import_name
                            ),
                        ));
                    }
                }
            }
        }
        for (key, message) in found {
            self.problem(key, message);
        }
    }
}

fn reaches(imports: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at.clone()) {
            open.extend(imports.get(&at).into_iter().flatten().cloned());
        }
    }
    false
}
