//! Pass 2: all items of a crate become one span-free [`Schema`].
//!
//! Here named types are found, CRUD services are spelled out, and what can only be seen across items is checked. What is
//! wrong comes back as [`Problem`]s, each with the key of the item or field that it belongs to, so that the macro can
//! show it at the right place.

mod across;
mod crud;
mod lookup;
mod removed;
mod schema;

pub use lookup::{External, Module, NamedKind, Scanned, ScannedItem, Use};
pub use schema::{
    ChangesDef, CrudDef, EnumDef, FieldDef, File, Label, MessageDef, MethodDef, Origin, Schema, ServiceDef,
    TypeDef, TypeRef, ValueDef,
};

use crate::model::{Field, Item, Message, Method, Service};
use crate::names;
use crate::types::{Cardinality, Value, path_text};
use lookup::Names;
use std::collections::BTreeMap;

/// Something wrong that only shows across items.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The item's full name, and for a field, value or method a dot and its protobuf name: `task.Task.label`.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

/// Resolves what was scanned. The schema is complete as far as it can be, also where there are problems.
pub fn resolve(scanned: &Scanned) -> (Schema, Vec<Problem>) {
    let names = Names::new(scanned);
    let mut resolver = Resolver {
        names,
        problems: Vec::new(),
        files: BTreeMap::new(),
        gone: Vec::new(),
    };
    for (at, scanned_item) in scanned.items.iter().enumerate() {
        resolver.add(at, scanned_item);
    }
    removed::enter(std::mem::take(&mut resolver.gone), &mut resolver.files);
    resolver.check_duplicates(scanned);
    resolver.check_import_cycles();
    let mut problems = resolver.problems;
    problems.sort();
    problems.dedup();
    (
        Schema {
            files: resolver.files.into_values().collect(),
        },
        problems,
    )
}

struct Resolver<'a> {
    names: Names<'a>,
    problems: Vec<Problem>,
    files: BTreeMap<String, File>,
    gone: Vec<removed::Gone>,
}

impl Resolver<'_> {
    fn problem(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            key: key.into(),
            message: message.into(),
        });
    }

    fn add(&mut self, at: usize, scanned: &ScannedItem) {
        let common = scanned.item.common();
        let path = lookup::proto_path(common);
        let rust = self.names.rust_path(at);
        match &scanned.item {
            Item::Message(message) => {
                let mut def = self.message(message, scanned.module);
                def.rust = Some(rust.clone());
                let crud = message
                    .crud
                    .as_ref()
                    .map(|crud| crud::derive(message, crud, &rust, &lookup::import_name(&path)));
                let file = self.file(&path, scanned);
                file.messages.push(def);
                if let Some((messages, service)) = crud {
                    file.messages.extend(messages);
                    file.services.push(service);
                }
            }
            Item::Enum(item) => {
                let def = EnumDef {
                    name: common.name.clone(),
                    full_name: common.full_name(),
                    rust,
                    docs: common.docs.clone(),
                    values: item
                        .values
                        .iter()
                        .map(|value| ValueDef {
                            name: value.name.clone(),
                            rust_name: names::plain(&value.ident),
                            number: value.number,
                            docs: value.docs.clone(),
                            deprecated: value.deprecated,
                        })
                        .collect(),
                    open: item.other.is_some(),
                    reserved: item.reserved.clone(),
                    deprecated: common.deprecated,
                };
                self.file(&path, scanned).enums.push(def);
            }
            Item::Service(service) => {
                let mut def = self.service(service, scanned.module);
                def.rust = Some(rust);
                self.file(&path, scanned).services.push(def);
            }
        }
        self.gone.extend(removed::of(&scanned.item, &path));
    }

    /// The file an item belongs to; all items of a file are in one package.
    fn file(&mut self, path: &str, scanned: &ScannedItem) -> &mut File {
        let common = scanned.item.common();
        let package = self.files.get(path).map(|file| file.package.clone());
        if let Some(package) = package.filter(|package| *package != common.package) {
            self.problem(
                common.full_name(),
                format!(
                    "`{path}` holds the package `{package}`, and a file holds one; give `{}` another `proto_path`",
                    common.full_name()
                ),
            );
        }
        self.files.entry(path.to_owned()).or_insert_with(|| File {
            path: path.to_owned(),
            import_name: lookup::import_name(path),
            package: common.package.clone(),
            ..File::default()
        })
    }

    fn message(&mut self, message: &Message, module: usize) -> MessageDef {
        let full_name = message.common.full_name();
        let fields = message
            .fields
            .iter()
            .filter_map(|field| {
                let key = format!("{full_name}.{}", field.name);
                let found = self.value(&field.ty.value, module, &message.common.package, &key)?;
                self.check_rules(field, &found.ty, &key);
                Some(field_def(field, found))
            })
            .collect();
        MessageDef {
            name: message.common.name.clone(),
            full_name,
            rust: None,
            docs: message.common.docs.clone(),
            fields,
            oneof: message.oneof,
            reserved: message.reserved.clone(),
            event: message.event,
            channels: message.channels.clone(),
            deprecated: message.common.deprecated,
        }
    }

    /// What needs to be known about a named type before a fact about its field can be judged.
    fn check_rules(&mut self, field: &Field, found: &TypeDef, key: &str) {
        let enum_default = field.facts.default.is_some() && matches!(field.ty.value, Value::Named(_));
        if enum_default && !matches!(found, TypeDef::Enum { .. }) {
            self.problem(
                key,
                "only scalars and enums have declared defaults; a message's fields have their own",
            );
        }
    }

    fn value(&mut self, value: &Value, module: usize, package: &str, key: &str) -> Option<TypeRef> {
        match value {
            Value::Scalar(scalar) => Some(TypeRef {
                ty: TypeDef::Scalar(*scalar),
                rust: scalar_path(*scalar),
            }),
            Value::ByteVec => Some(TypeRef {
                ty: TypeDef::Scalar(crate::types::Scalar::Bytes),
                rust: "::std::vec::Vec<u8>".to_owned(),
            }),
            Value::Unit => Some(TypeRef {
                ty: TypeDef::message("google.protobuf.Empty", Some("google/protobuf/empty.proto")),
                rust: "()".to_owned(),
            }),
            Value::Named(path) => {
                let found = self.names.find(path, module, package);
                if found.is_none() {
                    let text = path_text(path);
                    self.problem(
                        key,
                        format!(
                            "`{text}` is not a contract that the build script knows; put `#[contract(package = \"{package}\")]` on it. \
                             Type aliases are not followed; for a contract of another crate, give that crate's Cargo.toml a \
                             `links` key and a build script that calls `rpc_build`"
                        ),
                    );
                }
                found
            }
        }
    }

    /// A request, a response or an item of a stream: a message, or a scalar in its wrapper.
    fn message_type(
        &mut self,
        value: &Value,
        module: usize,
        package: &str,
        key: &str,
        what: &str,
    ) -> Option<TypeRef> {
        let found = self.value(value, module, package, key)?;
        match found.ty {
            TypeDef::Message { .. } => Some(found),
            TypeDef::Scalar(scalar) => {
                let wrapper = scalar.wrapper()?;
                Some(TypeRef {
                    ty: TypeDef::message(wrapper, Some("google/protobuf/wrappers.proto")),
                    rust: found.rust,
                })
            }
            TypeDef::Enum { full_name, .. } => {
                self.problem(key, format!("{what} is the enum `{full_name}`, and a call carries messages; put it into a contract struct"));
                None
            }
        }
    }

    fn service(&mut self, service: &Service, module: usize) -> ServiceDef {
        let full_name = service.common.full_name();
        let package = &service.common.package;
        let methods = service
            .methods
            .iter()
            .filter_map(|method| self.method(method, &full_name, module, package))
            .collect();
        ServiceDef {
            name: service.common.name.clone(),
            full_name,
            rust: None,
            docs: service.common.docs.clone(),
            methods,
            access: service.access.clone(),
            deprecated: service.common.deprecated,
            origin: match service.origin {
                crate::model::Origin::Trait => Origin::Trait,
                crate::model::Origin::Gateway => Origin::Gateway,
            },
        }
    }

    fn method(&mut self, method: &Method, service: &str, module: usize, package: &str) -> Option<MethodDef> {
        let key = format!("{service}.{}", method.name);
        let request = self.message_type(&method.request, module, package, &key, "the request");
        let response = self.message_type(&method.response, module, package, &key, "the response");
        Some(MethodDef {
            name: method.name.clone(),
            full_name: format!("{service}/{}", method.name),
            rust_name: names::plain(&method.ident),
            docs: method.docs.clone(),
            kind: method.kind,
            parameters: method.parameters.clone(),
            request: request?,
            response: response?,
            options: method.options.clone(),
        })
    }
}

fn scalar_path(scalar: crate::types::Scalar) -> String {
    match scalar.rust_name() {
        "String" => "::std::string::String".to_owned(),
        "Bytes" => "::rpc_runtime::codegen::Bytes".to_owned(),
        primitive => format!("::core::primitive::{primitive}"),
    }
}

fn field_def(field: &Field, found: TypeRef) -> FieldDef {
    FieldDef {
        name: field.name.clone(),
        rust_name: names::plain(&field.ident),
        number: field.number,
        docs: field.docs.clone(),
        label: match &field.ty.cardinality {
            Cardinality::Singular => Label::Singular,
            Cardinality::Optional => Label::Optional,
            Cardinality::Repeated => Label::Repeated,
            Cardinality::Map { key, .. } => Label::Map(*key),
        },
        ty: found.ty,
        id: field.facts.id,
        deprecated: field.deprecated,
        rules: field.rules.clone(),
    }
}

#[cfg(test)]
mod tests;
