//! The wire of contract-driven RPC over WebSocket: frames, stream states and limits, without IO.
//!
//! Subprotocol [`SUBPROTOCOL`]; one binary WebSocket message is one [`Frame`], defined in
//! `protos/rpc/v1/frame.proto`.

mod close;
mod code;
mod connection;
pub mod frame;
mod limits;
mod method;
mod output;

pub use self::close::CloseCode;
pub use self::code::Code;
pub use self::connection::{
    ClientConnection, ClientEvent, ConnectionError, IncomingRequest, OpenError, ServerConnection,
    ServerEvent, TooLarge,
};
pub use self::frame::{Frame, FrameError, FrameKind};
pub use self::limits::{COUNTING_SPAN, Limits, PeerLimits};
pub use self::method::{MethodRef, method_number};
pub use self::output::{Body, Output};

/// The WebSocket subprotocol whose messages are these frames.
pub const SUBPROTOCOL: &str = "rpc.v1";
