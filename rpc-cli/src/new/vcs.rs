//! Whether a new crate is under version control, as `cargo new` sees to it: a git repository of its own, where it lies in none, or in one
//! that ignores it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::cli::Vcs;
use crate::failure::{Exit, Failure};

/// What git may be told of another repository by whoever runs this, such as a hook of that one.
const OF_ANOTHER: [&str; 4] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
];

/// Makes a repository of the crate, if it is to be one. Where nobody has asked for it, there may be no git.
pub(super) fn settle(folder: &Path, wanted: Option<Vcs>) -> Result<(), Failure> {
    match wanted {
        Some(Vcs::None) => Ok(()),
        Some(Vcs::Git) => make(folder),
        None if is_in_one(folder) => Ok(()),
        None => make(folder).or(Ok(())),
    }
}

/// Whether it lies in a repository that would have it.
fn is_in_one(folder: &Path) -> bool {
    let says = |args: &[&str]| git(folder, args).is_ok_and(|said| said.status.success());
    says(&["rev-parse", "--show-toplevel"]) && !says(&["check-ignore", "--quiet", "."])
}

fn make(folder: &Path) -> Result<(), Failure> {
    let why = match git(folder, &["init", "--quiet"]) {
        Ok(said) if said.status.success() => return Ok(()),
        Ok(said) => String::from_utf8_lossy(&said.stderr).trim().to_owned(),
        Err(error) => format!("git cannot be run: {error}"),
    };
    let text = format!("the crate was made, but no git repository of it: {why}");
    Err(Failure::new(Exit::CannotCreate, text).hint("--vcs none does without"))
}

fn git(folder: &Path, args: &[&str]) -> std::io::Result<Output> {
    let mut git = Command::new("git");
    for variable in OF_ANOTHER {
        git.env_remove(variable);
    }
    git.args(args).current_dir(folder).stdin(Stdio::null()).output()
}
