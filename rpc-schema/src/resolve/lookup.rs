//! Finds what a path means where it stands: the crate's own contracts through modules and `use`s, contracts of other
//! crates, and the well-known types.

use super::crud;
use super::schema::{TypeDef, TypeRef};
use crate::model::{Common, Item};
use crate::names;
use std::collections::BTreeMap;

/// What the build script scanned.
#[derive(Debug, Default)]
pub struct Scanned {
    /// The crate's modules that were read.
    pub modules: Vec<Module>,
    /// The contracts found in them, in the order of reading.
    pub items: Vec<ScannedItem>,
    /// Contracts of other crates, and messages of extra `.proto` files.
    pub externals: Vec<External>,
    /// How the generated code names the crate that the contracts are in; `crate` unless said otherwise.
    pub crate_path: String,
}

/// A module of the crate.
#[derive(Debug, Default, Clone)]
pub struct Module {
    /// Its path below the crate: `["money", "fx"]`; empty for the root.
    pub path: Vec<String>,
    /// Its `use` declarations, one for each name that they bring in.
    pub uses: Vec<Use>,
}

/// One name that a `use` brings in.
#[derive(Debug, Clone)]
pub struct Use {
    /// The name, after `as` if there is one; `*` for a glob.
    pub name: String,
    /// The path as written, with `crate`, `self` and `super`.
    pub path: Vec<String>,
}

/// A contract and the module that it stands in.
#[derive(Debug)]
pub struct ScannedItem {
    /// The contract.
    pub item: Item,
    /// Index into [`Scanned::modules`].
    pub module: usize,
}

/// Whether a named type is a message or an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedKind {
    /// A message.
    Message,
    /// An enum.
    Enum,
}

/// A type that the crate did not define.
#[derive(Debug, Clone)]
pub struct External {
    /// Where it is in Rust: `["shared", "money", "Money"]`. The first segment is the crate's name in paths, or `crate`
    /// for a message that an extra `.proto` brings into this crate.
    pub rust_path: Vec<String>,
    /// `shared.Money`.
    pub full_name: String,
    /// Message or enum.
    pub kind: NamedKind,
    /// The file to import: `shared/shared.proto`.
    pub proto_file: String,
}

/// The well-known types: Rust paths, full name, file.
const WELL_KNOWN: [(&[&str], &str, &str); 9] = [
    (
        &["std", "time", "SystemTime"],
        "google.protobuf.Timestamp",
        "google/protobuf/timestamp.proto",
    ),
    (
        &["prost_types", "Timestamp"],
        "google.protobuf.Timestamp",
        "google/protobuf/timestamp.proto",
    ),
    (
        &["std", "time", "Duration"],
        "google.protobuf.Duration",
        "google/protobuf/duration.proto",
    ),
    (
        &["prost_types", "Duration"],
        "google.protobuf.Duration",
        "google/protobuf/duration.proto",
    ),
    (
        &["prost_types", "Struct"],
        "google.protobuf.Struct",
        "google/protobuf/struct.proto",
    ),
    (
        &["prost_types", "Value"],
        "google.protobuf.Value",
        "google/protobuf/struct.proto",
    ),
    (
        &["prost_types", "ListValue"],
        "google.protobuf.ListValue",
        "google/protobuf/struct.proto",
    ),
    (
        &["prost_types", "Any"],
        "google.protobuf.Any",
        "google/protobuf/any.proto",
    ),
    (
        &["prost_types", "FieldMask"],
        "google.protobuf.FieldMask",
        "google/protobuf/field_mask.proto",
    ),
];

/// Where an item's schema lies, relative to the crate.
pub(super) fn proto_path(common: &Common) -> String {
    common
        .proto_path
        .clone()
        .unwrap_or_else(|| names::default_proto_path(&common.package))
}

/// How a file is imported: its path below `protos/`.
pub(super) fn import_name(path: &str) -> String {
    path.strip_prefix("protos/").unwrap_or(path).to_owned()
}

/// How many `use`s are followed for one name, which ends circles.
const MOST_STEPS: usize = 16;

/// Everything that can be named.
pub(super) struct Names<'a> {
    scanned: &'a Scanned,
    /// Items by module path and name.
    items: BTreeMap<(&'a [String], String), usize>,
    modules: BTreeMap<&'a [String], usize>,
    /// Messages that CRUD services bring, by package and name.
    derived: BTreeMap<(String, String), TypeRef>,
}

impl<'a> Names<'a> {
    pub(super) fn new(scanned: &'a Scanned) -> Self {
        let mut names = Self {
            scanned,
            items: BTreeMap::new(),
            modules: scanned
                .modules
                .iter()
                .enumerate()
                .map(|(at, module)| (module.path.as_slice(), at))
                .collect(),
            derived: BTreeMap::new(),
        };
        for (at, scanned_item) in scanned.items.iter().enumerate() {
            let module = scanned.modules[scanned_item.module].path.as_slice();
            if matches!(scanned_item.item, Item::Message(_) | Item::Enum(_)) {
                names
                    .items
                    .insert((module, names::plain(scanned_item.item.ident())), at);
            }
            let Item::Message(message) = &scanned_item.item else {
                continue;
            };
            let Some(crud) = &message.crud else { continue };
            let file = import_name(&proto_path(&message.common));
            for name in crud::message_names(crud) {
                let full_name = format!("{}.{name}", message.common.package);
                names.derived.insert(
                    (message.common.package.clone(), name.clone()),
                    TypeRef {
                        ty: TypeDef::message(&full_name, Some(&file)),
                        rust: name,
                    },
                );
            }
        }
        names
    }

    /// `crate::contracts::TasksContract`.
    pub(super) fn rust_path(&self, item: usize) -> String {
        let scanned_item = &self.scanned.items[item];
        let mut path = self.crate_path().to_owned();
        for segment in &self.scanned.modules[scanned_item.module].path {
            path.push_str("::");
            path.push_str(segment);
        }
        path.push_str("::");
        path.push_str(&scanned_item.item.ident().to_string());
        path
    }

    fn crate_path(&self) -> &str {
        match self.scanned.crate_path.as_str() {
            "" => "crate",
            path => path,
        }
    }

    /// What a path means in a module, for an item of a package.
    pub(super) fn find(&self, path: &syn::Path, module: usize, package: &str) -> Option<TypeRef> {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| names::plain(&segment.ident))
            .collect();
        let module_path = &self.scanned.modules[module].path;
        let found = match path.leading_colon {
            Some(_) => self.find_external(&segments),
            None => self.find_in(module_path, &segments, MOST_STEPS),
        };
        found.or_else(|| {
            let [name] = segments.as_slice() else { return None };
            self.derived
                .get(&(package.to_owned(), name.clone()))
                .cloned()
                .or_else(|| {
                    let full_name = format!("{package}.{name}");
                    self.scanned
                        .externals
                        .iter()
                        .find(|external| external.full_name == full_name)
                        .map(external_ref)
                })
        })
    }

    fn find_in(&self, module: &[String], segments: &[String], steps: usize) -> Option<TypeRef> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = segments.split_first()?;
        match first.as_str() {
            "crate" => {
                return self
                    .find_below(&[], rest, steps)
                    .or_else(|| self.find_external(segments));
            }
            "self" => return self.find_below(module, rest, steps),
            "super" => return self.find_in(module.split_last()?.1, rest, steps),
            _ => {}
        }
        self.find_below(module, segments, steps)
            .or_else(|| self.find_external(segments))
    }

    /// A path that starts in a module of the crate: an item there, a child module, or what a `use` there brings in.
    fn find_below(&self, module: &[String], segments: &[String], steps: usize) -> Option<TypeRef> {
        let steps = steps.checked_sub(1)?;
        let (first, rest) = segments.split_first()?;
        // What an extra `.proto` brings lies in modules that hold generated code, which are not read.
        if let Some(external) = self.scanned.externals.iter().find(|external| {
            let path = external.rust_path.split_first();
            path.is_some_and(|(root, path)| root == "crate" && path.iter().eq(module.iter().chain(segments)))
        }) {
            return Some(external_ref(external));
        }
        if rest.is_empty() {
            if let Some((_, at)) = self.items.get_key_value(&(module, first.clone())) {
                return Some(self.item_ref(*at));
            }
        } else {
            let mut child = module.to_vec();
            child.push(first.clone());
            if self.modules.contains_key(child.as_slice())
                && let Some(found) = self.find_below(&child, rest, steps)
            {
                return Some(found);
            }
        }
        let uses = &self.scanned.modules[*self.modules.get(module)?].uses;
        let through = |one: &Use| {
            let mut path = one.path.clone();
            path.extend_from_slice(if one.name == "*" { segments } else { rest });
            // A `use` that names itself (`use shared::Money as Money`) is looked up outside of this module's uses.
            self.find_in(module, &path, steps)
        };
        uses.iter()
            .filter(|one| one.name == *first && one.path.first() != Some(first))
            .find_map(through)
            .or_else(|| {
                uses.iter().filter(|one| one.name == *first).find_map(|one| {
                    let mut path = one.path.clone();
                    path.extend_from_slice(rest);
                    self.find_external(&path)
                })
            })
            .or_else(|| uses.iter().filter(|one| one.name == "*").find_map(through))
    }

    fn item_ref(&self, at: usize) -> TypeRef {
        let item = &self.scanned.items[at].item;
        let file = Some(import_name(&proto_path(item.common())));
        let full_name = item.common().full_name();
        let ty = match item {
            Item::Enum(_) => TypeDef::Enum { full_name, file },
            _ => TypeDef::Message { full_name, file },
        };
        TypeRef {
            ty,
            rust: self.rust_path(at),
        }
    }

    fn find_external(&self, segments: &[String]) -> Option<TypeRef> {
        if let Some(external) = self
            .scanned
            .externals
            .iter()
            .find(|external| external.rust_path == segments)
        {
            return Some(external_ref(external));
        }
        // `core::time` is `std::time`; what a crate re-exports (`rpc_runtime::prost_types`) keeps its last two segments.
        let end = segments
            .len()
            .checked_sub(2)
            .map(|at| &segments[at..])
            .unwrap_or(segments);
        WELL_KNOWN
            .iter()
            .find(|(path, ..)| {
                let known = &path[path.len() - 2..];
                let fits = end.iter().map(String::as_str).eq(known.iter().copied());
                fits && (path[0] != "std" || matches!(segments[0].as_str(), "std" | "core" | "time"))
            })
            .map(|(path, full_name, file)| TypeRef {
                ty: TypeDef::message(full_name, Some(file)),
                rust: match path[0] {
                    "std" => format!("::{}", path.join("::")),
                    _ => format!("::rpc_runtime::codegen::{}", path.join("::")),
                },
            })
    }
}

fn external_ref(external: &External) -> TypeRef {
    let full_name = external.full_name.clone();
    let file = Some(external.proto_file.clone());
    TypeRef {
        ty: match external.kind {
            NamedKind::Message => TypeDef::Message { full_name, file },
            NamedKind::Enum => TypeDef::Enum { full_name, file },
        },
        rust: match external.rust_path.first().map(String::as_str) {
            Some("crate") => external.rust_path.join("::"),
            _ => format!("::{}", external.rust_path.join("::")),
        },
    }
}
