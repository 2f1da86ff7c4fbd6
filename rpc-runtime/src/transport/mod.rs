//! Bytes in and bytes out: the adapter between a socket and tungstenite.
//!
//! Owns the per-thread buffers, the connection's output and the WebSocket framing. It knows no frames of ours, no
//! streams and no calls: those are `rpc-protocol`'s and the driver's.

pub(crate) mod io;
pub(crate) mod lately;
pub(crate) mod mask;
pub(crate) mod output;
pub(crate) mod scratch;
pub(crate) mod websocket;
