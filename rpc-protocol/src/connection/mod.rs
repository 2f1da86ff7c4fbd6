//! The two ends of a connection, as state machines without IO.
//!
//! Owns which frame may come when, what is counted against a peer, and what is answered without asking the
//! application. Knows no socket, no task and no clock: bytes, commands and the time are arguments, frames and events
//! come back.

mod client;
mod counter;
mod error;
mod liveness;
mod server;
mod table;

pub use self::client::{ClientConnection, ClientEvent};
pub use self::error::{ConnectionError, OpenError, TooLarge};
pub use self::server::{IncomingRequest, ServerConnection, ServerEvent};
