//! Whether a new crate belongs to a workspace in whose folder it lies. Cargo says so: members are named in many ways, and only it knows
//! them all.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

use super::files::APART;
use super::unwritable;

/// What cargo says of a crate in the folder of a workspace that does not name it. One that it names, such as by `crates/*`, is a
/// member and must stay one: another workspace inside of its folder would end all builds of it.
const FORGOTTEN: &str = "believes it's in a workspace when it's not";

/// Sets a crate that was written apart from the workspace around it, if it is no member of that.
pub(super) fn settle(folder: &Path) -> Result<(), Failure> {
    if !is_forgotten(folder) {
        return Ok(());
    }
    let manifest = folder.join("Cargo.toml");
    let written = OpenOptions::new()
        .append(true)
        .open(&manifest)
        .and_then(|mut file| file.write_all(APART.as_bytes()));
    written.map_err(|error| unwritable(&manifest, &error))
}

/// Whether a workspace is in its way. Where there is no cargo to be asked, there is none that could be in the way either.
fn is_forgotten(folder: &Path) -> bool {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .args(["locate-project", "--workspace", "--offline"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    asked.is_ok_and(|said| String::from_utf8_lossy(&said.stderr).contains(FORGOTTEN))
}
