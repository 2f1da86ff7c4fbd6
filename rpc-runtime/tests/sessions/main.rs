//! What becomes of a session, from its first byte to its last: the gate, identities in band, hooks, timers, the list.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod attacks;
mod changing;
mod closing;
mod connecting;
mod expiring;
mod house;
mod leaving;
mod listed;
mod parting;
mod peer;
mod refused;
