//! CMMV's wire, as a server sees it: what `@cmmv/view` sends and reads, and what clients may send that are not it.
//!
//! The client itself runs in `tests/cmmv` of the workspace's root.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod announced;
mod calls;
mod captured;
mod handshake;
mod hostile;
mod peer;
mod service;
