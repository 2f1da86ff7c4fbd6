//! The client's promises: its connection, what becomes of calls without one, streams, sessions, TLS, and what hostile
//! servers can do to it. In memory and with a paused clock wherever time is concerned.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod by_hand;
mod chaos;
mod deadlines;
mod erratic;
mod going_away;
mod hostile;
mod identity;
mod reconnecting;
mod refused;
mod repeating;
mod service;
mod sessions;
mod state;
mod streams;
#[cfg(feature = "tls")]
mod tls;
