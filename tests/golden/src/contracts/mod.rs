//! Contracts in files of their own.

pub mod task;
pub mod ticker;
