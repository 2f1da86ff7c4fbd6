//! Tools that the tests need beyond Rust: found if they are there, installed if they can be.

use crate::process::{cargo, root, run};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// cargo-fuzz, pinned so that every machine fuzzes the same way.
const CARGO_FUZZ: &str = "0.13.2";

/// Makes `cargo fuzz` available.
pub(crate) fn cargo_fuzz() -> Result<()> {
    if cargo(&["fuzz", "--version"]).succeeds() {
        return Ok(());
    }
    cargo(&["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ])
        .go()
        .context("fuzzing needs cargo-fuzz; install it with `cargo install cargo-fuzz --locked`")
}

/// Makes Node packages of a folder available, exactly as its package-lock.json says.
pub(crate) fn npm(folder: &str) -> Result<PathBuf> {
    let folder = root().join(folder);
    if !run("node", &["--version"]).succeeds() || !run("npm", &["--version"]).succeeds() {
        bail!("the schema checks need Node 20 or later with npm; install it and run this again");
    }
    let installed = folder.join("node_modules/.package-lock.json");
    let wanted = folder.join("package-lock.json");
    let fresh = match (modified(&installed), modified(&wanted)) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    };
    if !fresh {
        run("npm", &["ci", "--no-audit", "--no-fund"])
            .at(&folder)
            .go()
            .context("npm could not install what package-lock.json names; is the npm registry reachable?")?;
    }
    Ok(folder)
}

fn modified(path: &PathBuf) -> Option<std::time::SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}
