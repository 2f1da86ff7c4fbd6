//! The two ends of a connection, as state machines without IO.
//!
//! Owns which frame may come when, what is counted against a peer, and what is answered without asking the
//! application. Knows no socket, no task and no clock: bytes, commands and the time are arguments, frames and events
//! come back.

mod client;
mod counter;
mod error;
mod flow;
mod inbound;
mod liveness;
mod outbound;
mod receipts;
mod server;
mod table;
mod window;

pub use self::client::{ClientConnection, ClientEvent};
pub use self::error::{ConnectionError, OpenError, SendError, TooLarge};
pub use self::inbound::StreamMessage;
pub use self::outbound::Sent;
pub use self::server::{IncomingRequest, ServerConnection, ServerEvent};
pub use self::window::DATA_FRAME_COST;
