//! Contracts in files of their own.

pub mod note;
pub mod task;
pub mod ticker;
