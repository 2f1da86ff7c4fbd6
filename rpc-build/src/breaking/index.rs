//! One side of a comparison, with everything reachable by its full name.

use std::collections::{BTreeMap, BTreeSet};

use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
};

/// Files that come with the compiler or with this crate. They are the same for everyone, and nobody's contract.
const FOREIGN: [&str; 2] = ["google/protobuf/", "buf/validate/"];

/// A descriptor and the file that it stands in, whose syntax decides about presence and JSON.
#[derive(Debug)]
pub(super) struct In<'a, T> {
    pub(super) file: &'a FileDescriptorProto,
    pub(super) it: &'a T,
}

// By hand, because a derive would ask the same of the descriptor.
impl<T> Clone for In<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for In<'_, T> {}

impl<T> In<'_, T> {
    pub(super) fn is_proto3(self) -> bool {
        self.file.syntax() == "proto3"
    }
}

/// A descriptor set by full names (without the leading dot). Ordered, so that findings are too.
#[derive(Debug, Default)]
pub(super) struct Index<'a> {
    pub(super) files: BTreeMap<&'a str, &'a FileDescriptorProto>,
    pub(super) packages: BTreeSet<&'a str>,
    pub(super) messages: BTreeMap<String, In<'a, DescriptorProto>>,
    pub(super) enums: BTreeMap<String, In<'a, EnumDescriptorProto>>,
    pub(super) services: BTreeMap<String, In<'a, ServiceDescriptorProto>>,
    /// By full name; the number and the extended message are in the descriptor.
    pub(super) extensions: BTreeMap<String, In<'a, FieldDescriptorProto>>,
    /// Entries of map fields and enums of foreign files: looked up by the fields that use them, not compared.
    pub(super) map_entries: BTreeMap<String, In<'a, DescriptorProto>>,
    pub(super) foreign_enums: BTreeMap<String, In<'a, EnumDescriptorProto>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(set: &'a FileDescriptorSet) -> Self {
        let mut index = Index::default();
        for file in &set.file {
            let foreign = FOREIGN.iter().any(|folder| file.name().starts_with(folder));
            if !foreign {
                index.files.insert(file.name(), file);
                index.packages.insert(file.package());
            }
            for message in &file.message_type {
                index.add_message(file, file.package(), message, foreign);
            }
            for enumeration in &file.enum_type {
                index.add_enum(file, file.package(), enumeration, foreign);
            }
            if foreign {
                continue;
            }
            for extension in &file.extension {
                index
                    .extensions
                    .insert(join(file.package(), extension.name()), In { file, it: extension });
            }
            for service in &file.service {
                index
                    .services
                    .insert(join(file.package(), service.name()), In { file, it: service });
            }
        }
        index
    }

    fn add_message(
        &mut self,
        file: &'a FileDescriptorProto,
        scope: &str,
        message: &'a DescriptorProto,
        foreign: bool,
    ) {
        let name = join(scope, message.name());
        for nested in &message.nested_type {
            self.add_message(file, &name, nested, foreign);
        }
        for enumeration in &message.enum_type {
            self.add_enum(file, &name, enumeration, foreign);
        }
        for extension in &message.extension {
            if !foreign {
                self.extensions
                    .insert(join(&name, extension.name()), In { file, it: extension });
            }
        }
        let entry = In { file, it: message };
        if message
            .options
            .as_ref()
            .is_some_and(|options| options.map_entry())
        {
            self.map_entries.insert(name, entry);
        } else if !foreign {
            self.messages.insert(name, entry);
        }
    }

    fn add_enum(
        &mut self,
        file: &'a FileDescriptorProto,
        scope: &str,
        enumeration: &'a EnumDescriptorProto,
        foreign: bool,
    ) {
        let enums = if foreign {
            &mut self.foreign_enums
        } else {
            &mut self.enums
        };
        enums.insert(
            join(scope, enumeration.name()),
            In {
                file,
                it: enumeration,
            },
        );
    }

    /// Any enum, the foreign ones included.
    pub(super) fn any_enum(&self, name: &str) -> Option<In<'a, EnumDescriptorProto>> {
        self.enums
            .get(name)
            .or_else(|| self.foreign_enums.get(name))
            .copied()
    }
}

/// The full name of `name` declared in `scope`, which is empty for a file without a package.
fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

/// `task.Task` without its leading dot, as descriptors write the names of types.
pub(super) fn full_name(type_name: &str) -> &str {
    type_name.strip_prefix('.').unwrap_or(type_name)
}

/// The names of an enum's values by number; several where the enum allows aliases.
pub(super) fn names_by_number(enumeration: &EnumDescriptorProto) -> BTreeMap<i32, BTreeSet<&str>> {
    let mut names: BTreeMap<i32, BTreeSet<&str>> = BTreeMap::new();
    for value in &enumeration.value {
        names.entry(value.number()).or_default().insert(value.name());
    }
    names
}
