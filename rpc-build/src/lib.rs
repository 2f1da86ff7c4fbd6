//! Placeholder.

pub mod breaking;
