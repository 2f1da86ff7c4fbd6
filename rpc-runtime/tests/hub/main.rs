//! The hub, end to end: clients that speak frames by hand, and the typed client, over pipes in memory.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod admin;
mod answers;
mod any;
mod at_once;
mod attacks;
mod broker;
mod by_address;
mod by_server;
mod catching_up;
mod changes;
mod common;
mod direct;
mod encoding;
mod epochs;
mod features;
mod granting;
mod listening;
mod meanwhile;
mod order_of_sending;
mod places;
mod presence;
mod presence_data;
mod publishing;
mod reading;
mod recovery;
mod refused;
mod rights;
mod sending;
mod server_side;
mod slow;
mod slow_reader;
mod stress;
mod subscribing;
mod subscriptions;
mod typed;
mod validating;
