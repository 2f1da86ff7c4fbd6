//! The messages that no contract is: those of CRUD services and of hand-written `.proto` files, made by prost-build,
//! with the traits of contracts added.

use super::code::{Paths, ident as ident_of};
use super::proto::VALIDATE;
use crate::config::Builder;
use prost_build::Module;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use quote::ToTokens;
use rpc_schema::model::Rule;
use rpc_schema::resolve::{Label, Schema, TypeDef};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, GenericArgument, Item, ItemStruct, Lit, Meta, PathArguments, Token, Type,
};

/// The messages of each package, with their traits.
pub(super) type Messages = BTreeMap<String, String>;

/// Generates the messages of the files in `own` that are not in `contracts` (full names with their Rust paths).
pub(super) fn emit(
    schema: &Schema,
    set: &FileDescriptorSet,
    own: &BTreeSet<String>,
    contracts: &BTreeMap<String, String>,
    builder: &Builder,
    paths: &Paths,
) -> Result<Messages, String> {
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
    let files: Vec<FileDescriptorProto> = set
        .file
        .iter()
        .filter(|file| is_ours(file))
        .map(|file| without(file, contracts))
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
        let by_hand = files.iter().any(|file| {
            file.package() == package && !schema.files.iter().any(|own| own.import_name == file.name())
        });
        let text = match by_hand {
            false => text + &crud_traits(schema, package, contracts, paths),
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
                prettyplease::unparse(&parsed) + &traits
            }
        };
        messages.insert(package.to_owned(), text);
    }
    Ok(messages)
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
        .filter(|message| message.rust.is_none())
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

/// Where generated messages stand: their full name's front, and the module that prost-build put them into.
struct Scope<'a> {
    package: &'a str,
    full_name: String,
    module: String,
    /// Fields that must be there: the full name of their message, and their number.
    required: &'a BTreeSet<(String, String)>,
    paths: &'a Paths,
}

impl Scope<'_> {
    /// Adds a `prost_contract!` for each message. prost-build writes messages in the order of their declaration, and
    /// what is nested in one into a module right after it.
    fn contracts(&self, items: &[Item], declared: &[&DescriptorProto], out: &mut String) {
        let mut declared = declared.iter().filter(|message| {
            !message
                .options
                .as_ref()
                .is_some_and(prost_types::MessageOptions::map_entry)
        });
        for (at, item) in items.iter().enumerate() {
            let Item::Struct(item) = item else { continue };
            if !derives(&item.attrs, "::Message)]") {
                continue;
            }
            let Some(message) = declared.next() else { return };
            let inside = match items.get(at + 1) {
                Some(Item::Mod(module)) => module
                    .content
                    .as_ref()
                    .map(|(_, items)| (&module.ident, items.as_slice())),
                _ => None,
            };
            let (module, nested) = match inside {
                Some((name, items)) => (format!("{}{name}::", self.module), items),
                None => (String::new(), [].as_slice()),
            };
            let inner = Scope {
                package: self.package,
                full_name: format!("{}.{}", self.full_name, message.name()),
                module,
                required: self.required,
                paths: self.paths,
            };
            self.contract(item, message, &inner, nested, out);
            let messages: Vec<&DescriptorProto> = message.nested_type.iter().collect();
            inner.contracts(nested, &messages, out);
        }
    }

    fn contract(
        &self,
        item: &ItemStruct,
        message: &DescriptorProto,
        inner: &Scope<'_>,
        nested: &[Item],
        out: &mut String,
    ) {
        let _ = writeln!(
            out,
            "\n{}::prost_contract! {{\n    {}{} = {:?} {:?} {{",
            self.paths.codegen, self.module, item.ident, self.package, inner.full_name,
        );
        for field in &item.fields {
            let (Some(name), Some(facts)) = (&field.ident, Facts::read(&field.attrs)) else {
                continue;
            };
            if let Some(oneof) = &facts.oneof {
                inner.oneof(&name.to_string(), oneof, message, nested, out);
            } else {
                let is_required = self
                    .required
                    .contains(&(inner.full_name.clone(), facts.tag.clone()));
                let required = if is_required { " as Required" } else { "" };
                let codec = self.codec(&facts, &field.ty);
                let _ = writeln!(out, "        {name}: {} => {codec}{required},", facts.tag);
            }
        }
        out.push_str("    }\n}\n");
    }

    /// The members of a oneof, named as in the descriptor; their variants are prost-build's. This scope is the message's.
    fn oneof(&self, name: &str, path: &str, message: &DescriptorProto, items: &[Item], out: &mut String) {
        let ident = path.rsplit("::").next().unwrap_or(path);
        let _ = writeln!(out, "        oneof {name}: {}{ident} {{", self.module);
        let variants = items.iter().filter_map(|item| match item {
            Item::Enum(item) if item.ident == ident && derives(&item.attrs, "::Oneof)]") => {
                Some(&item.variants)
            }
            _ => None,
        });
        for variant in variants.flatten() {
            let (Some(facts), Some(field)) = (Facts::read(&variant.attrs), variant.fields.iter().next())
            else {
                continue;
            };
            let declared = message
                .field
                .iter()
                .find(|field| field.number().to_string() == facts.tag);
            // Of a oneof's members prost's attribute does not tell which are boxed.
            let boxed = facts.boxed || is_box(&field.ty);
            let ty = match boxed {
                true => arguments(&field.ty)
                    .first()
                    .cloned()
                    .unwrap_or_else(|| field.ty.clone()),
                false => field.ty.clone(),
            };
            let _ = writeln!(
                out,
                "            {}: {} = {} => {},",
                variant.ident,
                ident_of(declared.map_or("", |field| field.name())),
                facts.tag,
                self.value(&facts.kind, Some(&ty), boxed)
            );
        }
        out.push_str("        },\n");
    }

    fn codec(&self, facts: &Facts, ty: &Type) -> String {
        let codegen = &self.paths.codegen;
        if let Some((ordered, kinds)) = &facts.map {
            let (key, value) = kinds.split_once(',').unwrap_or((kinds, ""));
            let arguments = arguments(ty);
            let map = if *ordered { "SortedMap" } else { "Map" };
            let value = self.value(value.trim(), arguments.get(1), false);
            return format!(
                "{codegen}::{map}<{}, {value}>",
                self.value(key.trim(), None, false)
            );
        }
        let holder = match (facts.repeated, facts.optional) {
            (true, _) => "Repeated",
            (_, true) => "Optional",
            _ => "Singular",
        };
        let mut inner = ty.clone();
        if facts.repeated || facts.optional {
            inner = arguments(&inner).first().cloned().unwrap_or(inner);
        }
        if facts.boxed {
            inner = arguments(&inner).first().cloned().unwrap_or(inner);
        }
        format!(
            "{codegen}::{holder}<{}>",
            self.value(&facts.kind, Some(&inner), facts.boxed)
        )
    }

    /// The codec of one value. `kind` is as in prost's attribute.
    fn value(&self, kind: &str, ty: Option<&Type>, boxed: bool) -> String {
        let codegen = &self.paths.codegen;
        if kind == "message" {
            let ty = ty
                .map(|ty| ty.to_token_stream().to_string().replace(' ', ""))
                .unwrap_or_default();
            let named = match wrapper_codec(&ty) {
                Some(codec) => format!("{codegen}::{codec}"),
                None => format!("{codegen}::Named<{}>", self.from_outside(&ty)),
            };
            return match boxed {
                true => format!("{codegen}::Boxed<{named}>"),
                false => named,
            };
        }
        let name = match kind {
            "string" => "Utf8",
            "bytes" => "ByteVec",
            "bytes=bytes" => "ByteSlice",
            kind if kind.starts_with("enumeration") => "Int32",
            other => return format!("{codegen}::{}", rpc_schema::names::upper_camel_case(other)),
        };
        format!("{codegen}::{name}")
    }

    /// A type as it is named outside of the module that prost-build wrote it into.
    fn from_outside(&self, ty: &str) -> String {
        if ty.starts_with("::") || ty.starts_with("crate::") || ty == "()" {
            return ty.to_owned();
        }
        let mut modules: Vec<&str> = self.module.split("::").filter(|part| !part.is_empty()).collect();
        let mut rest = ty;
        while let Some(outer) = rest.strip_prefix("super::") {
            if modules.pop().is_none() {
                return ty.to_owned();
            }
            rest = outer;
        }
        modules.push(rest);
        modules.join("::")
    }
}

/// prost reads the wrapper messages as the scalars inside of them.
fn wrapper_codec(ty: &str) -> Option<&'static str> {
    Some(match ty {
        "f64" => "Double",
        "f32" => "Float",
        "i64" => "Int64",
        "u64" => "Uint64",
        "i32" => "Int32",
        "u32" => "Uint32",
        "bool" => "Bool",
        ty if ty.ends_with("::string::String") => "Utf8",
        ty if ty.ends_with("::vec::Vec<u8>") => "ByteVec",
        _ => return None,
    })
}

/// Whether a derive of prost's stands on an item; `end` is how its text ends.
fn derives(attributes: &[Attribute], end: &str) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("derive")
            && attribute
                .to_token_stream()
                .to_string()
                .replace(' ', "")
                .ends_with(end)
    })
}

fn is_box(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Box"))
}

fn arguments(ty: &Type) -> Vec<Type> {
    let Type::Path(path) = ty else { return Vec::new() };
    let Some(PathArguments::AngleBracketed(arguments)) =
        path.path.segments.last().map(|last| &last.arguments)
    else {
        return Vec::new();
    };
    arguments
        .args
        .iter()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty.clone()),
            _ => None,
        })
        .collect()
}

/// What `#[prost(…)]` says about a field.
#[derive(Default)]
struct Facts {
    kind: String,
    tag: String,
    optional: bool,
    repeated: bool,
    boxed: bool,
    /// Whether it is a `BTreeMap`, and the kinds of key and value.
    map: Option<(bool, String)>,
    oneof: Option<String>,
}

impl Facts {
    fn read(attributes: &[Attribute]) -> Option<Self> {
        let attribute = attributes
            .iter()
            .find(|attribute| attribute.path().is_ident("prost"))?;
        let metas = attribute
            .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
            .ok()?;
        let mut facts = Self::default();
        for meta in &metas {
            let name = meta.path().get_ident()?.to_string();
            let value = match meta {
                Meta::NameValue(pair) => match &pair.value {
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text), ..
                    }) => text.value(),
                    _ => String::new(),
                },
                _ => String::new(),
            };
            match name.as_str() {
                "optional" => facts.optional = true,
                "repeated" => facts.repeated = true,
                "boxed" => facts.boxed = true,
                "tag" => facts.tag = value,
                "map" => facts.map = Some((false, value)),
                "btree_map" => facts.map = Some((true, value)),
                "oneof" => facts.oneof = Some(value),
                "bytes" if value == "bytes" => facts.kind = "bytes=bytes".to_owned(),
                "required" | "packed" | "tags" | "default" => {}
                _ => facts.kind = name,
            }
        }
        Some(facts)
    }
}
