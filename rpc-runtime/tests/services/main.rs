//! The services that the framework brings along, called by their typed clients.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod admin;
mod not_served;
mod reflection;
mod server;
mod session;
