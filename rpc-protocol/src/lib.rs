//! The wire of contract-driven RPC over WebSocket: frames, stream states and limits, without IO.
//!
//! One binary WebSocket message of the subprotocol [`SUBPROTOCOL`] is one [`Frame`], a protobuf message defined in
//! `protos/rpc/v1/frame.proto`; any language with protobuf can speak it. This crate reads and writes frames, and holds
//! the state of a connection's two ends: [`ServerConnection`] and [`ClientConnection`].
//!
//! It is *sans-io*: there is no socket, no task and no clock in it. Whoever drives it brings the bytes that arrived, the
//! time, and an [`Output`] to write to; what comes back are events for the application. So the whole protocol is tested
//! on a virtual clock, and fits under any runtime.
//!
//! # Driving a connection
//!
//! For a server; a client is the mirror image.
//!
//! 1. [`ServerConnection::new`], then [`greet`](ServerConnection::greet).
//! 2. Each WebSocket message that arrives goes into [`handle_message`](ServerConnection::handle_message). A
//!    [`ServerEvent::Request`] is a call. Answer it at once by [`respond`](ServerConnection::respond) or
//!    [`end`](ServerConnection::end), or [`park`](ServerConnection::park) it and answer later, in any order. On
//!    [`ServerEvent::Cancelled`] drop the handler and say [`finished`](ServerConnection::finished).
//! 3. When all messages that have arrived are handled, flush the output once, and say
//!    [`handle_flushed`](ServerConnection::handle_flushed). Without that, pings are not answered again.
//! 4. When nothing arrives until [`poll_timeout`](ServerConnection::poll_timeout), call
//!    [`handle_timeout`](ServerConnection::handle_timeout) and flush.
//! 5. An error is the end of the connection: close it with the error's
//!    [`close_code`](ConnectionError::close_code).
//!
//! ```
//! use std::time::Instant;
//! use bytes::Bytes;
//! use rpc_protocol::frame::{Greeting, Request, Response};
//! use rpc_protocol::{ClientConnection, ClientEvent, Limits, MethodRef, ServerConnection, ServerEvent, method_number};
//!
//! let now = Instant::now();
//! let mut server = ServerConnection::new(Limits::default(), now);
//! let mut client = ClientConnection::new(Limits::default(), now);
//! // Each message that is written goes to the other side; here by hand.
//! let (mut up, mut down): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
//!
//! let echo = method_number("demo.DemoService/Echo");
//! let request = Request { method: echo, ..Request::default() };
//! let id = client.open(&request, &b"hello"[..], &mut up)?;
//!
//! let message = Bytes::from(up.remove(0));
//! let ServerEvent::Request(call) = server.handle_message(message, now, &mut down)? else { unreachable!() };
//! assert_eq!(call.method, MethodRef::Number(echo));
//! server.respond(call.stream_id, &Response::default(), &call.body, &mut down)?;
//!
//! let message = Bytes::from(down.remove(0));
//! let ClientEvent::Response { stream_id, response } = client.handle_message(message, now, &mut up)? else {
//!     unreachable!()
//! };
//! assert_eq!((stream_id, &response.body[..]), (id, &b"hello"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The life of a call
//!
//! What the server holds of a unary call. Only a call that is not answered at once is ever registered.
//!
//! ```text
//!              request                respond / end / finished
//!   (closed) ───────────▶ in hand ─────────────────────────────▶ (closed)
//!                            │ park, or the next message
//!                            ▼        respond / end / finished
//!                         running ─────────────────────────────▶ (closed)
//!                            │ reset by the client, or end_running
//!                            ▼        finished, or respond / end, which then send nothing
//!                          silent ─────────────────────────────▶ (closed)
//! ```
//!
//! Served now are unary and one-way calls whose bodies fit one frame. The frames of all other kinds of calls are
//! defined, and are answered with one end, UNIMPLEMENTED.
//!
//! # What a peer may not do
//!
//! Faults are split by what they kill. What breaks the framing or the protocol closes the connection
//! ([`ConnectionError`], with its [`CloseCode`]); what is wrong about one call is answered with a status ([`Code`]), and
//! the connection lives, unless there is too much of it.
//!
//! | fault | consequence |
//! |---|---|
//! | a message that is no frame | close 4501 |
//! | a stream id that is not above all before it | close 4502 |
//! | a frame for a stream that was never opened, or of a kind that this side does not take | close 4502 |
//! | a frame for a stream that is closed | ignored |
//! | more open streams than [`Limits::max_streams`] | RESOURCE_EXHAUSTED; 1,000 in 10 s: close 4429 |
//! | metadata over [`Limits::max_metadata_entries`] or [`Limits::max_metadata_bytes`] | RESOURCE_EXHAUSTED, counted with the streams over the limit |
//! | a stream, a large body in parts, a compressed body, an unknown kind | UNIMPLEMENTED, counted with them |
//! | more than [`Limits::max_resets`] resets in 10 s, and more than half of the opens | close 4429 |
//! | more than [`Limits::max_pings`] pings in 10 s | close 4429; until the output is flushed, several get one pong |
//! | more than [`Limits::max_faults`] bodies that do not decode and unknown methods in 10 s | close 4429 |
//! | silence, also after a ping | close 4408 |
//! | a response over what the client accepts | RESOURCE_EXHAUSTED instead of it |
//!
//! What a connection holds does not depend on what its peer does, but for its open streams, which are limited.

#![warn(clippy::cast_possible_truncation)]

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
    ClientConnection, ClientEvent, ConnectionError, DATA_FRAME_COST, IncomingRequest, OpenError, SendError,
    Sent, ServerConnection, ServerEvent, StreamMessage, TooLarge,
};
pub use self::frame::{Frame, FrameError, FrameKind};
pub use self::limits::{COUNTING_SPAN, Limits, PeerLimits};
pub use self::method::{MethodRef, method_number};
pub use self::output::{Body, Output};

/// The WebSocket subprotocol whose messages are these frames.
pub const SUBPROTOCOL: &str = "rpc.v1";
