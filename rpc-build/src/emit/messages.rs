//! The messages that no contract is: those of CRUD services and of hand-written `.proto` files, made by prost-build,
//! with the traits of contracts added.

use super::changes;
use super::code::Paths;
use super::prost_traits::Scope;
use super::proto::VALIDATE;
use crate::config::Builder;
use crate::descriptor::Compiled;
use prost_build::Module;
use prost_types::{DescriptorProto, FileDescriptorProto};
use rpc_schema::model::Rule;
use rpc_schema::resolve::{Label, MessageDef, Schema, TypeDef};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

/// The messages of each package, with their traits.
pub(super) type Messages = BTreeMap<String, String>;

/// Generates the messages of the files in `own` that are not in `contracts` (full names with their Rust paths).
pub(super) fn emit(
    schema: &Schema,
    compiled: &Compiled,
    own: &BTreeSet<String>,
    contracts: &BTreeMap<String, String>,
    builder: &Builder,
    paths: &Paths,
) -> Result<Messages, String> {
    // The events of controllers are written as contracts, to the same module; prost-build is to leave them.
    let mut contracts = contracts.clone();
    for (_, event) in changes::events(schema) {
        contracts.insert(event.full_name.clone(), event.name.clone());
    }
    let contracts = &contracts;
    let mut config = prost_build::Config::new();
    config
        .prost_path(format!("{}::prost", paths.codegen))
        .prost_types_path(format!("{}::prost_types", paths.codegen));
    for (proto, rust) in contracts {
        config.extern_path(format!(".{proto}"), rust);
    }
    for (proto, rust) in &builder.extern_paths {
        config.extern_path(format!(".{}", proto.trim_start_matches('.')), rust);
    }
    for (path, attribute) in &builder.type_attributes {
        let path = match path.as_str() {
            "." => ".".to_owned(),
            path => format!(".{}", path.trim_start_matches('.')),
        };
        config.type_attribute(path, attribute);
    }
    let is_ours = |file: &FileDescriptorProto| own.contains(file.name());
    let set = &compiled.set;
    let files: Vec<FileDescriptorProto> = set
        .file
        .iter()
        .filter(|file| is_ours(file))
        .map(|file| {
            let mut file = without(file, contracts);
            // Of what is not hand-written the schema has the docs; prost-build takes long to clean a comment.
            if !is_emitted(schema, &file) {
                file.source_code_info = compiled.comments.get(file.name()).cloned();
            }
            file
        })
        .collect();
    let mut requests: Vec<(Module, FileDescriptorProto)> = Vec::new();
    for file in set
        .file
        .iter()
        .filter(|file| !is_ours(file) && file.name() != VALIDATE)
    {
        // What is imported has to be known, and must not be generated.
        for message in &file.message_type {
            let full_name = format!("{}.{}", file.package(), message.name());
            if file.package() != "google.protobuf" && !contracts.contains_key(&full_name) {
                config.extern_path(format!(".{full_name}"), "()");
            }
        }
        requests.push((Module::from_protobuf_package_name(file.package()), hollow(file)));
    }
    requests.extend(
        files
            .iter()
            .map(|file| (Module::from_protobuf_package_name(file.package()), file.clone())),
    );
    let packages: BTreeSet<&str> = files.iter().map(FileDescriptorProto::package).collect();
    let generated: HashMap<Module, String> = config.generate(requests).map_err(|error| error.to_string())?;
    let required = required(schema);
    let mut messages = Messages::new();
    for package in packages {
        let Some(text) = generated.get(&Module::from_protobuf_package_name(package)) else {
            continue;
        };
        let text = without_eq(text);
        let by_hand = files
            .iter()
            .any(|file| file.package() == package && !is_emitted(schema, file));
        let text = match by_hand {
            false => {
                with_docs(&text, schema, package)
                    + &changes::emit(schema, package, contracts, paths)
                    + &crud_traits(schema, package, contracts, paths)
            }
            true => {
                let parsed = syn::parse_file(&text).map_err(|error| error.to_string())?;
                let declared: Vec<&DescriptorProto> = files
                    .iter()
                    .filter(|file| file.package() == package)
                    .flat_map(|file| &file.message_type)
                    .filter(|message| !contracts.contains_key(&format!("{package}.{}", message.name())))
                    .collect();
                let scope = Scope {
                    package,
                    full_name: package.to_owned(),
                    module: String::new(),
                    required: &required,
                    paths,
                };
                let mut traits = String::new();
                scope.contracts(&parsed.items, &declared, &mut traits);
                prettyplease::unparse(&parsed) + &changes::emit(schema, package, contracts, paths) + &traits
            }
        };
        messages.insert(package.to_owned(), text);
    }
    Ok(messages)
}

/// Whether a file is the schema of contracts, and not a person's.
fn is_emitted(schema: &Schema, file: &FileDescriptorProto) -> bool {
    schema.files.iter().any(|own| own.import_name == file.name())
}

/// Puts the docs of CRUD messages and their fields above the attributes that prost-build wrote.
fn with_docs(text: &str, schema: &Schema, package: &str) -> String {
    let messages: BTreeMap<&str, &MessageDef> = schema
        .files
        .iter()
        .filter(|file| file.package == package)
        .flat_map(|file| &file.messages)
        .map(|message| (message.name.as_str(), message))
        .collect();
    let mut out = String::with_capacity(text.len() * 2);
    let mut attributes = String::new();
    let mut message: Option<&MessageDef> = None;
    for line in text.lines() {
        let (code, indent) = (line.trim_start(), &line[..line.len() - line.trim_start().len()]);
        if code.starts_with("#[") {
            attributes.push_str(line);
            attributes.push('\n');
            continue;
        }
        let word = |code: &str| code.split([' ', ':']).next().unwrap_or_default().to_owned();
        let docs = if let Some(rest) = code.strip_prefix("pub struct ") {
            message = messages.get(word(rest).as_str()).copied();
            message.map(|message| &message.docs)
        } else if let (Some(rest), Some(message)) = (code.strip_prefix("pub "), message) {
            let name = word(rest);
            let field = message.fields.iter().find(|field| field.name == name);
            field.map(|field| &field.docs)
        } else {
            None
        };
        for doc in docs.into_iter().flatten() {
            out.push_str(indent);
            out.push_str(format!("/// {doc}").trim_end());
            out.push('\n');
        }
        out.push_str(&attributes);
        attributes.clear();
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// The traits of CRUD messages, whose fields are known without looking at what prost-build made of them.
fn crud_traits(
    schema: &Schema,
    package: &str,
    contracts: &BTreeMap<String, String>,
    paths: &Paths,
) -> String {
    let codegen = &paths.codegen;
    let mut out = String::new();
    let files = schema.files.iter().filter(|file| file.package == package);
    for message in files
        .flat_map(|file| &file.messages)
        .filter(|message| message.rust.is_none() && !changes::is_event(message))
    {
        let _ = writeln!(
            out,
            "\n{codegen}::prost_contract! {{\n    {} = {package:?} {:?} {{",
            message.name, message.full_name,
        );
        for field in &message.fields {
            let value = match &field.ty {
                TypeDef::Scalar(scalar) => scalar.codec_name().to_owned(),
                TypeDef::Message { full_name, .. } | TypeDef::Enum { full_name, .. } => {
                    let rust = contracts
                        .get(full_name)
                        .map_or(full_name.as_str(), String::as_str);
                    format!("Named<{rust}>")
                }
            };
            let holder = match (&field.label, &field.ty) {
                (Label::Repeated, _) => "Repeated",
                (_, TypeDef::Message { .. }) => "Optional",
                _ => "Singular",
            };
            let required = match field.rules.iter().any(|rule| matches!(rule, Rule::Required)) {
                true => " as Required",
                false => "",
            };
            let _ = writeln!(
                out,
                "        {}: {} => {codegen}::{holder}<{codegen}::{value}>{required},",
                field.name, field.number
            );
        }
        out.push_str("    }\n}\n");
    }
    out
}

/// The required fields of CRUD messages.
fn required(schema: &Schema) -> BTreeSet<(String, String)> {
    let mut required = BTreeSet::new();
    for message in schema
        .files
        .iter()
        .flat_map(|file| &file.messages)
        .filter(|message| message.rust.is_none())
    {
        for field in &message.fields {
            if field.rules.iter().any(|rule| matches!(rule, Rule::Required)) {
                required.insert((message.full_name.clone(), field.number.to_string()));
            }
        }
    }
    required
}

/// A file of which only the names of messages are left.
fn hollow(file: &FileDescriptorProto) -> FileDescriptorProto {
    FileDescriptorProto {
        name: file.name.clone(),
        package: file.package.clone(),
        syntax: file.syntax.clone(),
        message_type: file.message_type.iter().map(hollow_message).collect(),
        ..FileDescriptorProto::default()
    }
}

fn hollow_message(message: &DescriptorProto) -> DescriptorProto {
    DescriptorProto {
        name: message.name.clone(),
        nested_type: message.nested_type.iter().map(hollow_message).collect(),
        ..DescriptorProto::default()
    }
}

/// A file in which contracts have no fields, and without services. prost-build passes over the contracts, and asks only
/// whether it knows them.
fn without(file: &FileDescriptorProto, contracts: &BTreeMap<String, String>) -> FileDescriptorProto {
    let mut kept = FileDescriptorProto {
        message_type: Vec::new(),
        service: Vec::new(),
        extension: Vec::new(),
        ..file.clone()
    };
    for message in &file.message_type {
        let full_name = format!("{}.{}", file.package(), message.name());
        kept.message_type.push(match contracts.contains_key(&full_name) {
            true => hollow_message(message),
            false => message.clone(),
        });
    }
    kept
}

/// prost-build derives `Eq`, `Hash` and `Copy` from the schema alone; a contract inside may have none of them. Puts a
/// blank line before each message too.
fn without_eq(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut after_item = true;
    for line in text.lines().skip_while(|line| line.starts_with("// ")) {
        if after_item && !line.starts_with('}') {
            out.push('\n');
        }
        let derives = line.trim_start().starts_with("#[derive(")
            && (line.ends_with("::Message)]") || line.ends_with("::Oneof)]"));
        if derives {
            let bare = line
                .replacen("Copy, ", "", 1)
                .replacen("PartialEq, Eq, Hash, ", "PartialEq, ", 1);
            out.push_str(&bare);
        } else {
            out.push_str(line);
        }
        out.push('\n');
        after_item = line == "}" || line.ends_with("{}") && !line.starts_with(' ');
    }
    out
}
