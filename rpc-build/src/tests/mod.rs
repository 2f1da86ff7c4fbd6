//! Tests that build whole crates in temporary folders, without cargo.

mod support;
mod task;
