//! The corpus behind `rpc_build::breaking`: pairs of `.proto` files, before and after a change, with the verdict of the
//! pinned `buf` on each. Owns the format of the corpus and of the record; knows how to run both judges.
//!
//! `README.md` in this folder describes the files.

mod buf;
mod corpus;
mod record;
mod rpc_build_verdict;

pub use buf::{Buf, BufError};
pub use corpus::{Case, CorpusError, Side, read_cases};
pub use record::{Difference, RecordError, read_differences, read_verdicts, write_verdicts};
pub use rpc_build_verdict::{CompileError, compile, judge};

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The rules that a change breaks, by identifier; empty when it is compatible.
pub type Verdict = BTreeSet<String>;

/// The folder of the corpus, in the source tree.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
