//! What cargo tells a build script. Read once, so that everything else is a function of it and can be tested.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What cargo tells a build script.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// The crate.
    pub(crate) manifest_dir: PathBuf,
    /// Where output goes.
    pub(crate) out_dir: PathBuf,
    /// The crate's name in Rust paths.
    pub(crate) crate_name: String,
    /// What `cfg` is evaluated against.
    pub(crate) cfg: Cfg,
    /// Whether this is a build that must not change the sources.
    pub(crate) ci: bool,
    /// Manifests that the build scripts of dependencies left, by the variable that names them.
    pub(crate) dependencies: BTreeMap<String, PathBuf>,
    /// Where cargo keeps sources that are not the user's.
    pub(crate) cargo_home: Option<PathBuf>,
    /// What tells one build of this crate from another: its output may differ though nothing else changed.
    #[allow(dead_code, reason = "read through `Debug`, as a part of the key of a build")]
    pub(crate) tool: String,
}

/// The facts that `cfg` predicates ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cfg {
    /// `unix`, `debug_assertions`.
    pub(crate) flags: BTreeSet<String>,
    /// `target_os = "linux"`; a key may have several values.
    pub(crate) values: BTreeSet<(String, String)>,
    /// Features as cargo writes them in variables: `SQLITE_STORE`.
    pub(crate) features: BTreeSet<String>,
}

impl Environment {
    /// Reads the environment of the process.
    pub(crate) fn from_process() -> Result<Self, String> {
        let required = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).ok_or_else(|| {
                format!(
                    "the variable `{name}` is not set, so this does not run as a build script; call `rpc_build` from the \
                     `main` of a crate's `build.rs`, and run `cargo build`"
                )
            })
        };
        let manifest_dir = required("CARGO_MANIFEST_DIR")?;
        let mut environment = Self {
            out_dir: required("OUT_DIR")?,
            crate_name: library_name(&manifest_dir).unwrap_or_else(|| {
                std::env::var("CARGO_PKG_NAME")
                    .unwrap_or_default()
                    .replace('-', "_")
            }),
            manifest_dir,
            ci: std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false")),
            cargo_home: cargo_home(),
            tool: tool(),
            ..Self::default()
        };
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
                continue;
            };
            if let Some(feature) = name.strip_prefix("CARGO_FEATURE_") {
                environment.cfg.features.insert(feature.to_owned());
            } else if let Some(key) = name.strip_prefix("CARGO_CFG_") {
                environment.cfg.add(key, value);
            } else if name.starts_with("DEP_") && name.ends_with("_RPC_CONTRACTS") {
                environment
                    .dependencies
                    .insert(name.to_owned(), PathBuf::from(value));
            }
        }
        Ok(environment)
    }
}

impl Cfg {
    /// Adds what a `CARGO_CFG_…` variable says: values separated by commas, or nothing for a flag.
    pub(crate) fn add(&mut self, key: &str, value: &str) {
        let key = key.to_ascii_lowercase();
        if value.is_empty() {
            self.flags.insert(key);
            return;
        }
        for value in value.split(',') {
            self.values.insert((key.clone(), value.to_owned()));
        }
    }
}

/// What other crates name the library by in paths, if its manifest says; cargo does not tell a build script.
fn library_name(manifest_dir: &Path) -> Option<String> {
    let manifest = std::fs::read_to_string(manifest_dir.join("Cargo.toml")).ok()?;
    crate::manifest::library_name(&manifest)
}

fn cargo_home() -> Option<PathBuf> {
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".cargo"))
    })
}

/// The version, and the build script's own size and age: a generator under development keeps its version.
fn tool() -> String {
    let script = std::env::current_exe()
        .and_then(std::fs::metadata)
        .map(|script| format!("{} {:?}", script.len(), script.modified().ok()))
        .unwrap_or_default();
    format!("{} {script}", env!("CARGO_PKG_VERSION"))
}
