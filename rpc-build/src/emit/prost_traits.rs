//! Gives messages that prost-build made the traits of contracts, by reading prost's attributes: they are the one place
//! that says how a field is named, held and boxed in Rust.

use super::code::{Paths, ident as ident_of};
use prost_types::DescriptorProto;
use quote::ToTokens;
use std::collections::BTreeSet;
use std::fmt::Write;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, GenericArgument, Item, ItemStruct, Lit, Meta, PathArguments, Token, Type,
};

/// Where generated messages stand: their full name's front, and the module that prost-build put them into.
pub(super) struct Scope<'a> {
    pub(super) package: &'a str,
    pub(super) full_name: String,
    pub(super) module: String,
    /// Fields that must be there: the full name of their message, and their number.
    pub(super) required: &'a BTreeSet<(String, String)>,
    pub(super) paths: &'a Paths,
}

impl Scope<'_> {
    /// Adds a `prost_contract!` for each message. prost-build writes messages in the order of their declaration, and
    /// what is nested in one into a module right after it.
    pub(super) fn contracts(&self, items: &[Item], declared: &[&DescriptorProto], out: &mut String) {
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
                None => format!("{codegen}::Named<{}>", self.outside_name(&ty)),
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
    fn outside_name(&self, ty: &str) -> String {
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
