//! What can only be seen across items: names given twice, and files that would import each other.

use super::schema::FieldDef;
use super::{Resolver, Scanned, crud};
use crate::model::Item;
use std::collections::{BTreeMap, BTreeSet};

impl Resolver<'_> {
    /// Two things with one full name, told at every contract that they come from.
    pub(super) fn check_duplicates(&mut self, scanned: &Scanned) {
        let mut owners: BTreeMap<String, Vec<Owner>> = BTreeMap::new();
        for (at, item) in scanned.items.iter().enumerate() {
            let common = item.item.common();
            let rust = self.names.rust_path(at);
            let mut add = |full_name: String, generated: bool| {
                owners.entry(full_name).or_default().push(Owner {
                    key: common.full_name(),
                    rust: rust.clone(),
                    generated,
                });
            };
            add(common.full_name(), false);
            let Item::Message(message) = &item.item else {
                continue;
            };
            if let Some(crud) = &message.crud {
                for name in crud::names(crud) {
                    add(format!("{}.{name}", common.package), true);
                }
            }
        }
        let mut told = BTreeSet::new();
        // A service's name is shorter than its messages', and says enough where two controllers have one name.
        let mut clashes: Vec<_> = owners
            .into_iter()
            .filter(|(_, owners)| owners.len() > 1)
            .collect();
        clashes.sort_by_key(|(full_name, _)| !full_name.ends_with("Service"));
        for (full_name, owners) in clashes {
            let of_controllers = owners.iter().all(|owner| owner.generated);
            let sources: Vec<String> = owners.iter().map(Owner::describe).collect();
            if of_controllers && !told.insert(sources.clone()) {
                continue;
            }
            for owner in &owners {
                self.problem(
                    &owner.key,
                    format!(
                        "two contracts have the full name `{full_name}`: {}; rename one, or put it into another package",
                        sources.join(" and ")
                    ),
                );
            }
        }
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
            let fields = file.messages.iter().flat_map(|message| {
                let key = |field: &FieldDef| format!("{}.{}", message.full_name, field.name);
                message.fields.iter().map(move |field| (key(field), &field.ty))
            });
            let calls = file.services.iter().flat_map(|service| {
                service.methods.iter().flat_map(move |method| {
                    let key = format!("{}.{}", service.full_name, method.name);
                    [(key.clone(), &method.request.ty), (key, &method.response.ty)]
                })
            });
            for (key, ty) in fields.chain(calls) {
                let Some(other) = ty.file().filter(|other| *other != file.import_name) else {
                    continue;
                };
                if reaches(&imports, other, &file.import_name) {
                    found.push((
                        key,
                        format!(
                            "`{}` and `{other}` would import each other, which protobuf does not allow; move one of the types \
                             to the other's package, or both to a third",
                            file.import_name
                        ),
                    ));
                }
            }
        }
        for (key, message) in found {
            self.problem(key, message);
        }
    }
}

/// Where a full name comes from.
struct Owner {
    /// The contract's full name, where the macro shows what is wrong.
    key: String,
    rust: String,
    /// Whether the contract's controller gives the name.
    generated: bool,
}

impl Owner {
    fn describe(&self) -> String {
        if self.generated {
            format!("the controller of `{}`", self.rust)
        } else {
            format!("`{}`", self.rust)
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
