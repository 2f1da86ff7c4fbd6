//! What the build script says to cargo, gathered so that it can be said again when nothing changed.

use rpc_schema::names::fnv1a64;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What the build script says to cargo.
#[derive(Debug, Default, Clone)]
pub(crate) struct Report {
    lines: Vec<String>,
    said: BTreeSet<String>,
    /// By key; a key with several problems says all of them.
    problems: BTreeMap<String, Vec<String>>,
    /// The full names of contracts that no macro sees in this build.
    absent: BTreeSet<String>,
    /// Errors that no item is left for.
    errors: usize,
}

impl Report {
    /// One line per entry, as cargo reads them.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut push = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        self.lines.iter().for_each(|line| push(line));
        for (key, problems) in &self.problems {
            push(&format!(
                "cargo::rustc-env=RPC_ERROR_{:016x}={}",
                fnv1a64(key),
                problems.join("; also: ")
            ));
        }
        text
    }

    /// Says again what was said before.
    pub(crate) fn replay(text: &str) -> Self {
        Self {
            lines: text.lines().map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn rerun_if_changed(&mut self, path: &Path) {
        self.line(format!("cargo::rerun-if-changed={}", path.display()));
    }

    pub(crate) fn rerun_if_env_changed(&mut self, name: &str) {
        self.line(format!("cargo::rerun-if-env-changed={name}"));
    }

    pub(crate) fn metadata(&mut self, key: &str, value: &str) {
        self.line(format!("cargo::metadata={key}={value}"));
    }

    /// The build script ran at all, and `include_gateway!` finds these modules: packages, and the files of theirs.
    pub(crate) fn modules(&mut self, modules: &BTreeMap<String, PathBuf>) {
        let packages: Vec<String> = modules.keys().map(|package| format!("`{package}`")).collect();
        self.line(format!(
            "cargo::rustc-env=RPC_BUILD={}",
            match packages.as_slice() {
                [] => "no package".to_owned(),
                packages => packages.join(", "),
            }
        ));
        for (package, path) in modules {
            self.line(format!(
                "cargo::rustc-env=RPC_MODULE_{package}={}",
                path.display()
            ));
        }
    }

    /// Where the schemas of this build lie, which gateways and events carry.
    pub(crate) fn descriptor_set(&mut self, path: &Path) {
        self.line(format!("cargo::rustc-env=RPC_DESCRIPTOR_SET={}", path.display()));
    }

    /// These contracts are behind features that are off: what is wrong with them is printed.
    pub(crate) fn absent(&mut self, names: &BTreeSet<String>) {
        self.absent.extend(names.iter().cloned());
    }

    /// An item was read, and these are its facts.
    pub(crate) fn contract(&mut self, full_name: &str, fingerprint: &str) {
        self.line(format!(
            "cargo::rustc-env=RPC_CONTRACT_{:016x}={fingerprint}",
            fnv1a64(full_name)
        ));
    }

    /// Something wrong with an item, field, value or method, for the macro to show.
    pub(crate) fn problem(&mut self, key: &str, message: &str) {
        let absent = |name: &str| self.absent.contains(name);
        if absent(key) || key.rsplit_once('.').is_some_and(|(item, _)| absent(item)) {
            return self.error(&format!("`{key}`, whose feature is off in this build: {message}"));
        }
        let message = one_line(message);
        let problems = self.problems.entry(key.to_owned()).or_default();
        if !problems.contains(&message) {
            problems.push(message);
        }
    }

    pub(crate) fn warning(&mut self, message: &str) {
        self.line(format!("cargo::warning={}", one_line(message)));
    }

    /// Something wrong that no item is left for. Fails the build.
    pub(crate) fn error(&mut self, message: &str) {
        self.errors += 1;
        self.line(format!("cargo::error={}", one_line(message)));
    }

    /// Whether anything is wrong.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0 || !self.problems.is_empty()
    }

    fn line(&mut self, line: String) {
        if self.said.insert(line.clone()) {
            self.lines.push(line);
        }
    }
}

/// Cargo reads lines; a message has to be one.
fn one_line(message: &str) -> String {
    message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}
