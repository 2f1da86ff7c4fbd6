//! What a server records through the facade of the crate `metrics`.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod calls;
mod connections;
mod hub;
mod prometheus;
mod recorder;
mod service;
