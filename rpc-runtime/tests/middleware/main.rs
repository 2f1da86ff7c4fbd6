//! Middleware on both sides, spans, trace context and the details of statuses, from end to end in memory.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod client;
mod collector;
mod details;
mod interceptors;
mod kinds;
mod layers;
mod service;
mod spans;
mod towers;
mod trace;
