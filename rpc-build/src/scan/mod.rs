//! Reads contracts from a crate's sources: follows `mod`s from the crate's root to the files that hold contracts, and
//! collects what they and the modules below them declare.
//!
//! Only files on the way are read. What is wrong inside an item is not reported here, because the macro reports it at
//! the right place; it is only noted, so that nothing is destroyed for a contract that is being typed.

mod attributes;
mod cfg;
mod items;
mod modules;
mod off;
mod uses;

pub(crate) use modules::scan;

use rpc_schema::resolve::{Module, ScannedItem};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What the sources say.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// The modules that were read.
    pub(crate) modules: Vec<Module>,
    /// The contracts, in the order of reading.
    pub(crate) items: Vec<ScannedItem>,
    /// For each of them, whether it is there with other features only.
    off: Vec<bool>,
    /// The full names of the contracts that are there with other features only.
    pub(crate) absent: BTreeSet<String>,
    /// Every file that was read, or that should have been there.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Whether something was found that is no contract yet: a file that does not parse, an item with mistakes.
    pub(crate) broken: bool,
    /// What pass 1 found, for whoever asks why nothing was built; the macro reports it to the user.
    pub(crate) mistakes: Vec<String>,
    /// The packages that broken items name, as far as can be told.
    pub(crate) broken_packages: BTreeSet<String>,
    /// Those of them that miss something which other code uses: an item that could not be read, the service of one that
    /// could.
    pub(crate) incomplete_packages: BTreeSet<String>,
    /// Whether something is missing and it cannot be told from which package.
    pub(crate) incomplete: bool,
    /// What is wrong with the build script's own arguments.
    pub(crate) errors: Vec<String>,
}
