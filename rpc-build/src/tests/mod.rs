//! Tests that build whole crates in temporary folders, without cargo.

mod broken;
mod drift;
mod externals;
mod features;
mod generated;
#[cfg(unix)]
mod places;
mod plugin;
mod scan;
mod support;
mod unchanged;
