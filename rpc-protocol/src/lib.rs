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
//! 3. A call with [`open`](IncomingRequest::open) gets [`ServerEvent::Message`]s until [`ServerEvent::HalfClosed`]. Say
//!    [`consumed`](ServerConnection::consumed) for what the application has taken, or
//!    [`stop_reading`](ServerConnection::stop_reading).
//! 4. A response that is a stream is [`open_response`](ServerConnection::open_response),
//!    [`send`](ServerConnection::send) and `end`. Produce the next message while the call
//!    [`is_writable`](ServerConnection::is_writable); else wait until
//!    [`poll_writable`](ServerConnection::poll_writable) gives it.
//! 5. When all messages that have arrived are handled, [`transmit`](ServerConnection::transmit) into the room that the
//!    output has, flush it once, and say [`handle_flushed`](ServerConnection::handle_flushed). Without that, pings are
//!    not answered again. Ask `poll_writable` until it gives nothing.
//! 6. When nothing arrives until [`poll_timeout`](ServerConnection::poll_timeout), call
//!    [`handle_timeout`](ServerConnection::handle_timeout) and flush.
//! 7. A [`ServerEvent::Authenticate`] is answered by [`identity`](ServerConnection::identity), which also tells the client of
//!    changes that it did not ask for.
//! 8. An error is the end of the connection: close it with the error's
//!    [`close_code`](ConnectionError::close_code).
//!
//! ```
//! use std::time::Instant;
//! use bytes::Bytes;
//! use rpc_protocol::frame::{Compression, End, Request};
//! use rpc_protocol::{
//!     ClientConnection, ClientEvent, Limits, MethodRef, ServerConnection, ServerEvent, method_number,
//! };
//!
//! let now = Instant::now();
//! let mut server = ServerConnection::new(Limits::default(), now);
//! let mut client = ClientConnection::new(Limits::default(), now);
//! // Each message that is written goes to the other side; here by hand.
//! let (mut up, mut down): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
//!
//! let count = method_number("demo.DemoService/Count");
//! let request = Request { method: count, ..Request::default() };
//! let id = client.open(&request, &b"2"[..], &mut up)?;
//!
//! let message = Bytes::from(up.remove(0));
//! let ServerEvent::Request(call) = server.handle_message(message, now, &mut down)? else { unreachable!() };
//! assert_eq!(call.method, MethodRef::Number(count));
//! assert_eq!(&call.body[..], b"2");
//! for message in [&b"one"[..], b"two"] {
//!     assert!(server.is_writable(call.stream_id));
//!     server.send(call.stream_id, Compression::NONE, message, &mut down)?;
//! }
//! server.end(call.stream_id, &End::default(), &mut down)?;
//!
//! let mut counted = Vec::new();
//! for message in down {
//!     match client.handle_message(Bytes::from(message), now, &mut up)? {
//!         ClientEvent::Opened { stream_id, .. } => assert_eq!(stream_id, id),
//!         ClientEvent::Message { stream_id, message } => {
//!             client.consumed(stream_id, message.cost(), &mut up);
//!             counted.push(message.body);
//!         }
//!         ClientEvent::End { end, .. } => assert!(end.status.is_none()),
//!         event => unreachable!("{event:?}"),
//!     }
//! }
//! assert_eq!(counted, ["one", "two"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The life of a call
//!
//! What the server holds of a call. One that is answered at once is never registered.
//!
//! ```text
//!              request                respond / end / finished
//!   (closed) ───────────▶ in hand ─────────────────────────────▶ (closed)
//!      │                     │ park, or the next message           ▲
//!      │ a request           ▼        respond / end / finished     │
//!      │ in parts         running ─────────────────────────────────┤
//!      ▼                  ▲  │ │                                   │
//!   assembling ───────────┘  │ │ respond / end, behind what waits  │ it has left
//!              it is whole   │ └────────────────────────▶ leaving ─┤
//!                            │ reset by the client, or end_running │
//!                            ▼        finished, or respond / end,  │
//!                          silent ─── which then send nothing ─────┘
//! ```
//!
//! # Windows
//!
//! What a peer may send and the application has not consumed is bounded, for each stream and for the connection; a message
//! of a stream counts [`cost`](StreamMessage::cost), its body and [`DATA_FRAME_COST`]. A message waits inside while a
//! window is shut, one a stream; long ones go out in parts, in turn. `docs/wire.md` has the rules, byte by byte.
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
//! | an open request or response with a body, an open request that is one-way | close 4502 |
//! | data for a stream that is half-closed or whose request was whole; an end in the middle of a message | close 4502 |
//! | a body although the window of the stream or of the connection is shut | close 4502 |
//! | a frame for a stream that is closed | ignored; a body counts on the connection's window |
//! | more open streams than [`Limits::max_streams`], more opens than [`Limits::max_opens`] in 10 s | RESOURCE_EXHAUSTED; 1,000 refused in 10 s: close 4429 |
//! | metadata over [`Limits::max_metadata_entries`] or [`Limits::max_metadata_bytes`] | RESOURCE_EXHAUSTED, counted with them |
//! | a body over [`Limits::max_body_bytes`], or with which those that are not whole take more than half of [`Limits::max_pending_bytes`] | RESOURCE_EXHAUSTED, counted with them |
//! | a compression that was not announced, an unknown kind | UNIMPLEMENTED, counted with them |
//! | more than [`Limits::max_resets`] resets in 10 s, and more than half of the opens | close 4429 |
//! | more than [`Limits::max_pings`] pings in 10 s | close 4429; until the output is flushed, several get one pong |
//! | more than [`Limits::max_faults`] bodies that do not decode, unknown methods and malformed authentications in 10 s | close 4429 |
//! | an authentication for a purpose that is not known, or with metadata over the limits | INVALID_ARGUMENT or RESOURCE_EXHAUSTED in an identity, counted as a fault |
//! | silence, also after a ping | close 4408 |
//! | nothing but pings and pongs for [`Limits::idle_timeout`], and no stream open | close 1001 |
//! | windows that never open | what waits is bounded by one message a stream and [`Limits::max_queued_bytes`]; silence and idleness still count |
//! | a response over what the client accepts | RESOURCE_EXHAUSTED instead of it |
//!
//! What a connection holds is bounded, whatever its peer does: its open streams by their number, what came by
//! [`Limits::max_pending_bytes`] and a message more, what waits by [`Limits::max_queued_bytes`].

#![warn(clippy::cast_possible_truncation)]

mod close;
mod code;
mod connection;
pub mod frame;
mod limits;
mod method;
mod output;
mod replay;

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
pub use self::replay::{Again, Replay};

/// The WebSocket subprotocol whose messages are these frames.
pub const SUBPROTOCOL: &str = "rpc.v1";

/// What a client offers beside [`SUBPROTOCOL`] when it comes back to its session: its first frame is a greeting with its resume
/// token, for which the server waits with its own. Never selected, and no secret.
pub const RESUME_SUBPROTOCOL: &str = "rpc.v1.resume";
