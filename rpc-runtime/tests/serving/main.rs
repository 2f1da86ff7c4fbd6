//! The server and the client, over memory and over real sockets: what each promises, and what each does with the
//! other's misbehaviour.

#![allow(unreachable_pub, missing_docs, clippy::unwrap_used, reason = "a test crate")]

mod admission;
mod authenticating;
mod bodies;
mod calls;
#[cfg(feature = "tls")]
mod client_certificates;
mod giving_up;
mod handshake;
mod hostile_server;
mod http;
mod origins;
mod probe;
mod raw;
mod slow;
mod smuggling;
mod starving;
mod stopping;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod turns;
mod wire;
