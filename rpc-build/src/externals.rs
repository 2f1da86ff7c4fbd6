//! Contracts of other crates of the workspace.
//!
//! A crate with contracts leaves a manifest in its `OUT_DIR` and tells its dependents where (`cargo::metadata`, which
//! needs `links` in its Cargo.toml). The manifest is lines of words, one fact each.

use crate::environment::Environment;
use rpc_schema::resolve::{External, NamedKind, Schema};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The name of the metadata; dependents read it as `DEP_<LINKS>_RPC_CONTRACTS`.
pub(crate) const METADATA: &str = "rpc_contracts";

const FIRST_LINE: &str = "rpc-contracts 1";

/// What the dependencies offer.
#[derive(Debug, Default)]
pub(crate) struct Externals {
    pub(crate) types: Vec<External>,
    /// Where their schemas lie.
    pub(crate) folders: Vec<PathBuf>,
    /// The manifests.
    pub(crate) files: Vec<PathBuf>,
}

/// Reads the manifests of all dependencies that have one.
pub(crate) fn read(environment: &Environment) -> Externals {
    let mut externals = Externals::default();
    let mut folders = BTreeSet::new();
    for path in environment.dependencies.values() {
        externals.files.push(path.clone());
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            continue;
        }
        for line in lines {
            match line.split_once(' ') {
                Some(("include", folder)) => {
                    folders.insert(PathBuf::from(folder));
                }
                Some(("message", rest)) => externals.types.extend(external(NamedKind::Message, rest)),
                Some(("enum", rest)) => externals.types.extend(external(NamedKind::Enum, rest)),
                _ => {}
            }
        }
    }
    externals.folders = folders.into_iter().collect();
    externals
}

fn external(kind: NamedKind, rest: &str) -> Option<External> {
    let mut words = rest.split(' ');
    Some(External {
        full_name: words.next()?.to_owned(),
        rust_path: words.next()?.split("::").map(str::to_owned).collect(),
        kind,
        proto_file: words.next()?.to_owned(),
    })
}

/// The manifest of this crate.
pub(crate) fn manifest(schema: &Schema, crate_name: &str, crate_path: &str, folders: &[&Path]) -> String {
    let mut text = format!("{FIRST_LINE}\n");
    for folder in folders {
        text.push_str(&format!("include {}\n", folder.display()));
    }
    let outside = |rust: &str| match rust.strip_prefix(crate_path) {
        Some(rest) => format!("{crate_name}{rest}"),
        None => rust.trim_start_matches("::").to_owned(),
    };
    for file in &schema.files {
        for message in &file.messages {
            if let Some(rust) = &message.rust {
                text.push_str(&format!(
                    "message {} {} {}\n",
                    message.full_name,
                    outside(rust),
                    file.import_name
                ));
            }
        }
        for item in &file.enums {
            text.push_str(&format!(
                "enum {} {} {}\n",
                item.full_name,
                outside(&item.rust),
                file.import_name
            ));
        }
    }
    text
}
