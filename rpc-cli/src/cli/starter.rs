//! Options of the command that makes a crate to begin with.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::SHORT;

const NEW: &str = "\
Examples:
  rpc new library                        in the new folder `library`; prints the commands that come next
  rpc new crates/library-service         the crate is called as its folder: library-service
  rpc new . --name library               in this folder, which has to be empty
  rpc new library --path ~/rpc           on the crates of the clone of the repository in ~/rpc

The crate builds and answers at once. A name has letters from a to z, digits, `-` and `_`, and is the protobuf package's as well.
Nothing that is there is overwritten.";

/// Where the crate goes, and what it stands on.
#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = NEW)]
pub(crate) struct NewArgs {
    /// Where it is made: a folder that is not there yet, or is empty
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// What it is called, if not like its folder
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Depends on the crates of the clone of the repository in this folder. Without: those of the clone that this command
    /// was built from, as long as it is there, else the published ones
    #[arg(long, value_name = "CLONE")]
    pub(crate) path: Option<PathBuf>,
    /// Depends on the published crates, in the version of this command
    #[arg(long, conflicts_with = "path")]
    pub(crate) published: bool,
    /// Makes a git repository of it, or none. Without: a git repository, where there is git and the folder lies in no repository, or in one
    /// that ignores it
    #[arg(long, value_name = "VCS")]
    pub(crate) vcs: Option<Vcs>,
}

/// What keeps the versions of a new crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Vcs {
    Git,
    None,
}
