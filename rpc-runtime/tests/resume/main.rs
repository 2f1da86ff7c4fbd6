//! Sessions that outlive their connections: what goes on, what ends, and who may come back.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod attacks;
mod bounds;
mod client;
#[allow(dead_code, reason = "shared with the tests of middleware")]
#[path = "../middleware/collector.rs"]
mod collector;
mod coming_back;
mod cuts;
mod events;
mod handshake;
#[allow(dead_code, reason = "shared with the tests of sessions")]
#[path = "../sessions/house.rs"]
mod house;
mod identity;
mod line;
#[allow(dead_code, reason = "shared with the tests of sessions")]
#[path = "../sessions/peer.rs"]
mod peer;
mod returns;
mod streams;
mod support;
mod waiting;
