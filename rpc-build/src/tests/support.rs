//! A crate in a temporary folder, and builds of it.

use crate::config::Builder;
use crate::environment::Environment;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A crate in a temporary folder.
pub(super) struct Crate {
    folder: TempDir,
    pub(super) environment: Environment,
    pub(super) builder: Builder,
}

impl Crate {
    /// A crate whose `src/main.rs` has `mod contracts;`, and these contracts.
    pub(super) fn new(contracts: &str) -> Self {
        let made = Self::empty();
        made.write("src/main.rs", "mod contracts;\nfn main() {}\n");
        made.write("src/contracts.rs", contracts);
        made
    }

    pub(super) fn empty() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let environment = Environment {
            manifest_dir: folder.path().join("crate"),
            out_dir: folder.path().join("out"),
            crate_name: "tasks".to_owned(),
            ..Environment::default()
        };
        std::fs::create_dir_all(&environment.manifest_dir).expect("a crate's folder");
        std::fs::create_dir_all(&environment.out_dir).expect("an output folder");
        Self {
            folder,
            environment,
            builder: crate::contracts("src/contracts.rs"),
        }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.environment.manifest_dir.join(path)
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|_| "<missing>".to_owned())
    }

    /// The generated module of a package.
    pub(super) fn module(&self, package: &str) -> String {
        let path = self.environment.out_dir.join(format!("rpc/{package}.rs"));
        std::fs::read_to_string(path).unwrap_or_else(|_| "<missing>".to_owned())
    }

    /// Builds, and gives what is told to cargo, without paths and fingerprints.
    pub(super) fn build(&self) -> String {
        let report = crate::run::run(&self.builder, &self.environment).expect("the environment is sound");
        report.text()
    }

    /// What the macros are going to report.
    pub(super) fn mistakes(&self) -> Vec<String> {
        crate::scan::scan(&self.builder, &self.environment).mistakes
    }

    /// What is told beside facts about a build that went well.
    pub(super) fn problems(&self) -> String {
        self.build()
            .lines()
            .filter(|line| {
                ["cargo::error=", "cargo::warning=", "cargo::rustc-env=RPC_ERROR_"]
                    .iter()
                    .any(|start| line.starts_with(start))
            })
            .map(|line| format!("{line}\n"))
            .collect()
    }

    pub(super) fn git(&self, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(&self.environment.manifest_dir)
            .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
            .args(arguments)
            .output()
            .expect("git runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub(super) fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "state"]);
    }
}

/// The `RPC_ERROR_…` variable of a key.
pub(super) fn error_of(key: &str) -> String {
    format!("RPC_ERROR_{:016x}=", rpc_schema::names::fnv1a64(key))
}
