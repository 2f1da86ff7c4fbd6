//! TypeScript: its packages, which are npm's workspaces of the root, and what is run on them.

use crate::process::{cargo, root, run};
use crate::tools;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The client that the others are written with, which they find built.
const CLIENT: &str = "clients/typescript";

/// A package.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Relative to the root, as package.json names it.
    pub(crate) path: String,
    pub(crate) folder: PathBuf,
    scripts: Vec<String>,
}

impl Workspace {
    /// Whether it is a page that Vite builds.
    pub(crate) fn is_page(&self) -> bool {
        self.folder.join("vite.config.ts").is_file()
    }

    fn has(&self, script: &str) -> bool {
        self.scripts.iter().any(|name| name == script)
    }

    /// Runs a script of its package.json.
    fn run(&self, script: &str) -> Result<()> {
        run("npm", &["run", script, "--workspace", &self.path]).go()
    }
}

/// The packages, in the order in which package.json names them.
pub(crate) fn workspaces() -> Result<Vec<Workspace>> {
    let read = |folder: PathBuf| -> Result<Value> {
        let file = folder.join("package.json");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    };
    let package = read(root())?;
    let paths = package["workspaces"]
        .as_array()
        .context("package.json has no workspaces")?;
    let paths = paths.iter().filter_map(Value::as_str);
    paths
        .map(|path| {
            let folder = root().join(path);
            let package = read(folder.clone())?;
            let scripts = package["scripts"].as_object();
            Ok(Workspace {
                path: path.to_owned(),
                folder,
                scripts: scripts
                    .map(|scripts| scripts.keys().cloned().collect())
                    .unwrap_or_default(),
            })
        })
        .collect()
}

/// Installs what package-lock.json names.
pub(crate) fn install() -> Result<()> {
    tools::npm("", "the TypeScript client and the pages").map(|_| ())
}

/// Builds the client, which the other packages import as its users do.
pub(crate) fn build_client() -> Result<()> {
    run("npm", &["run", "build", "--workspace", CLIENT]).go()
}

/// Formatting and lints, then the types of every package.
pub(crate) fn checks() -> Result<()> {
    install()?;
    run("npx", &["--no-install", "biome", "ci", "--error-on-warnings"])
        .go()
        .context("run `npx biome check --write`, and mend what it cannot")?;
    types()
}

/// The types of every package.
fn types() -> Result<()> {
    build_client()?;
    for workspace in workspaces()? {
        if !workspace.has("check") {
            bail!(
                "{}/package.json has no script `check`, which holds the types of each package to TypeScript's rules",
                workspace.path
            );
        }
        workspace.run("check")?;
    }
    Ok(())
}

/// The tests of every package, those in the browser among them.
pub(crate) fn test() -> Result<()> {
    install()?;
    let browser = tools::chromium()?;
    build_client()?;
    for workspace in workspaces()?.iter().filter(|workspace| workspace.has("test")) {
        run("npm", &["run", "test", "--workspace", &workspace.path])
            .env("CHROMIUM", &browser)
            .go()?;
    }
    Ok(())
}

/// What one tab of a browser gets done with the client, beside Connect over HTTP; and what the client weighs.
pub(crate) fn bench() -> Result<()> {
    install()?;
    let browser = tools::chromium()?;
    let ours = release("Cargo.toml", "target", "typescript-server")?;
    let connect = release("bench/Cargo.toml", "bench/target", "rpc-browser-bench")?;
    run("npm", &["run", "bench", "--workspace", "tests/typescript"])
        .env("CHROMIUM", &browser)
        .env("RPC_TYPESCRIPT_SERVER", &ours)
        .env("RPC_BROWSER_BENCH", &connect)
        .go()
}

/// Builds a program for measuring; gives where it is.
fn release(manifest: &str, target: &str, name: &str) -> Result<String> {
    let arguments = ["--manifest-path", manifest, "--target-dir", target, "-p", name];
    cargo(&[&["build", "--release"], &arguments[..]].concat()).go()?;
    let program = root().join(target).join("release").join(name);
    Ok(program.display().to_string())
}
