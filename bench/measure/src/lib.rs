//! What the benchmarks share: child processes and how one talks with them, where they may run, what the kernel says of
//! them, and medians.

mod child;
mod placement;
mod process;
mod statistics;

pub use child::{Process, say, say_json};
pub use placement::{Placement, Side};
pub use process::{CpuClock, allow_files, resident};
pub use statistics::Summary;

/// Any error, as the text that a benchmark prints.
pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
