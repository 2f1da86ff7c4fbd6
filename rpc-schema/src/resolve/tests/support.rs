//! A crate of source text, and its schema as text.

use std::fmt::Write;

use expect_test::Expect;
use syn::UseTree;

use crate::diagnostics::Errors;
use crate::parse;
use crate::resolve::{
    External, Label, Module, NamedKind, Origin, Problem, Scanned, ScannedItem, Schema, TypeDef, Use, resolve,
};

/// Reads the text of a crate's root: its inline modules, their `use`s and their contracts.
pub(super) fn scan(source: &str) -> Scanned {
    let file = syn::parse_file(source).expect("the case is Rust");
    let mut scanned = Scanned {
        externals: vec![
            external(&["shared", "money", "Money"], "shared.Money", NamedKind::Message),
            external(&["shared", "Currency"], "shared.Currency", NamedKind::Enum),
            external(&["crate", "legacy", "Note"], "task.Note", NamedKind::Message),
        ],
        ..Scanned::default()
    };
    module(&mut scanned, Vec::new(), &file.items);
    scanned
}

pub(super) fn external(rust_path: &[&str], full_name: &str, kind: NamedKind) -> External {
    External {
        rust_path: rust_path.iter().map(|&segment| segment.to_owned()).collect(),
        full_name: full_name.to_owned(),
        kind,
        proto_file: "shared/shared.proto".to_owned(),
    }
}

fn module(scanned: &mut Scanned, path: Vec<String>, items: &[syn::Item]) {
    let at = scanned.modules.len();
    scanned.modules.push(Module {
        path: path.clone(),
        uses: Vec::new(),
    });
    for item in items {
        match item {
            syn::Item::Mod(child) => {
                let mut path = path.clone();
                path.push(child.ident.to_string());
                module(scanned, path, &child.content.as_ref().expect("inline modules").1);
            }
            syn::Item::Use(item) => uses(&item.tree, &[], &mut scanned.modules[at].uses),
            _ => scanned
                .items
                .extend(contract(item).map(|item| ScannedItem { item, module: at })),
        }
    }
}

fn uses(tree: &UseTree, path: &[String], found: &mut Vec<Use>) {
    let with = |name: &syn::Ident| [path, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(part) => uses(&part.tree, &with(&part.ident), found),
        UseTree::Name(part) => found.push(Use {
            name: part.ident.to_string(),
            path: with(&part.ident),
        }),
        UseTree::Rename(part) => found.push(Use {
            name: part.rename.to_string(),
            path: with(&part.ident),
        }),
        UseTree::Glob(_) => found.push(Use {
            name: "*".to_owned(),
            path: path.to_vec(),
        }),
        UseTree::Group(group) => group.items.iter().for_each(|tree| uses(tree, path, found)),
    }
}

fn contract(item: &syn::Item) -> Option<crate::model::Item> {
    let attributes = match item {
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return None,
    };
    let arguments = parse::attribute_arguments(attributes.first()?);
    let mut errors = Errors::new();
    let parsed = match item {
        syn::Item::Impl(block) => parse::rpc(arguments, block, &mut errors),
        item => parse::contract(arguments, item, &mut errors),
    };
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(
        told.is_empty(),
        "pass 1 finds nothing wrong in the case: {told:?}"
    );
    parsed
}

pub(super) fn check(source: &str, expected: Expect) {
    check_scanned(&scan(source), expected);
}

/// Of a crate of which nothing but what is wrong with it is in question.
pub(super) fn check_problems(source: &str, expected: Expect) {
    let (_, problems) = resolve(&scan(source));
    expected.assert_eq(&told(&problems));
}

pub(super) fn check_scanned(scanned: &Scanned, expected: Expect) {
    let (schema, problems) = resolve(scanned);
    expected.assert_eq(&(text(&schema) + &told(&problems)));
}

fn told(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        let _ = writeln!(out, "problem at {}: {}", problem.key, problem.message);
    }
    out
}

fn text(schema: &Schema) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    for file in &schema.files {
        let imports: Vec<String> = file.imports().into_iter().collect();
        line(format!(
            "{} ({}), package {}, imports {imports:?}",
            file.path, file.import_name, file.package
        ));
        if !file.removed.is_empty() {
            line(format!("  removed {:?}", file.removed));
        }
        for message in &file.messages {
            let kind = if message.oneof { "oneof" } else { "message" };
            line(format!(
                "  {kind} {} = {}",
                message.name,
                message.rust.as_deref().unwrap_or("(generated)")
            ));
            if let Some(channels) = message.channels.as_deref().filter(|_| message.event) {
                line(format!("    event on {channels}"));
            }
            if !message.reserved.numbers.is_empty() || !message.reserved.names.is_empty() {
                line(format!(
                    "    reserved {:?} {:?}",
                    message.reserved.numbers, message.reserved.names
                ));
            }
            for field in &message.fields {
                let label = match field.label {
                    Label::Singular => String::new(),
                    Label::Optional => "optional ".to_owned(),
                    Label::Repeated => "repeated ".to_owned(),
                    Label::Map(key) => format!("map by {} of ", key.proto_name()),
                };
                let rules = if field.rules.is_empty() {
                    String::new()
                } else {
                    format!(" {:?}", field.rules)
                };
                line(format!(
                    "    {label}{} {} = {}{rules}",
                    type_name(&field.ty),
                    field.name,
                    field.number
                ));
            }
        }
        for item in &file.enums {
            let open = if item.open { "open enum" } else { "enum" };
            line(format!("  {open} {} = {}", item.name, item.rust));
            for value in &item.values {
                line(format!("    {} = {}", value.name, value.number));
            }
        }
        for service in &file.services {
            let origin = match &service.origin {
                Origin::Crud(crud) => format!(
                    "controller of {} by {}: {}",
                    crud.rust,
                    crud.id,
                    crud.id_scalar.proto_name()
                ),
                Origin::Trait => "trait".to_owned(),
                Origin::Gateway => "gateway".to_owned(),
            };
            let rust = service.rust.as_deref().unwrap_or("(generated)");
            line(format!(
                "  service {} = {rust}, stem {}, {origin}",
                service.full_name,
                service.stem()
            ));
            for method in &service.methods {
                line(format!(
                    "    {} {:?} {} ({}) -> {} ({})",
                    method.full_name,
                    method.kind,
                    type_name(&method.request.ty),
                    method.request.rust,
                    type_name(&method.response.ty),
                    method.response.rust,
                ));
            }
        }
    }
    out
}

fn type_name(ty: &TypeDef) -> &str {
    match ty {
        TypeDef::Scalar(scalar) => scalar.proto_name(),
        named => named.full_name().unwrap_or_default(),
    }
}
