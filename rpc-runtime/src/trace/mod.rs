//! Following a call: the trace it belongs to, and its span.
//!
//! Owns the [W3C trace context](https://www.w3.org/TR/trace-context/) that travels in a call's metadata, and the
//! [`tracing`] span of each call. It exports nothing; the programs that collect spans do.
//!
//! # Spans
//!
//! A call that is served has the span `serve` with the target `rpc::server`, at the level DEBUG. It begins when the request
//! was read, before anything else is done with it, and covers the call to its end, streams included. Interceptors, layers
//! and the handler run inside of it, so that what they log belongs to it; refused and cancelled calls have one as well.
//!
//! A call that is made has the span `call` with the target `rpc::client`, and the same fields as far as they are known there.
//! It begins when the call is awaited, lasts to its end, streams and sessions included, and is inside of the span in which
//! the call is awaited, such as a handler's.
//!
//! | field | |
//! |---|---|
//! | `rpc.method` | the full name, such as `task.TaskService/AddTask`; empty where it is not known |
//! | `rpc.kind` | `unary`, `server_streaming`, `client_streaming`, `bidirectional` |
//! | `rpc.client`, `rpc.stream` | at a server the client's id and the stream's, which together are the call's id in other log lines |
//! | `trace_id`, `span_id` | of the trace context, where the call belongs to a trace; at a client the trace's alone |
//! | `rpc.status` | the code with which the call ended, such as `OK` or `NOT_FOUND`; `CANCELLED` where its client gave it up |
//! | `rpc.duration_us` | how long it took, in microseconds |
//! | `rpc.request.messages`, `rpc.request.bytes` | how many messages the client has sent, and the bytes of their bodies: as they are on the wire, or at the client before compression |
//! | `rpc.response.messages`, `rpc.response.bytes` | the same for the server's |
//! | `otel.name`, `otel.kind` | left empty, to be recorded where spans go to OpenTelemetry |
//!
//! The last ones are recorded when the call is over. Nothing is made while no subscriber is interested in DEBUG: a call
//! then costs one load and a comparison. With [`tracing_subscriber`] they are asked for by a filter such as
//! `info,rpc=debug`.
//!
//! [`tracing_subscriber`]: https://docs.rs/tracing-subscriber
//!
//! # OpenTelemetry
//!
//! Spans go there through the crate `tracing-opentelemetry`, whose layer makes an OpenTelemetry span of each of these. What
//! it cannot know is told by two interceptors: that the span of a served call is a child of the caller's, and that calls
//! which are made carry on *its* id. In the example, the modules `opentelemetry` and `bridge` stand for the crates
//! `opentelemetry` and `tracing_opentelemetry`, whose names they have.
//!
//! ```
//! use rpc_runtime::{Client, Context, Server, Status, middleware::{Head, Outbound}};
//! use tracing::Span;
//! # mod opentelemetry {
//! #     #[derive(Clone, Copy, PartialEq)] pub struct TraceId(u128);
//! #     impl TraceId { pub fn from_bytes(b: [u8; 16]) -> Self { Self(u128::from_be_bytes(b)) } }
//! #     impl std::fmt::Display for TraceId { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{:032x}", self.0) } }
//! #     #[derive(Clone, Copy, PartialEq)] pub struct SpanId(u64);
//! #     impl SpanId { pub fn from_bytes(b: [u8; 8]) -> Self { Self(u64::from_be_bytes(b)) } }
//! #     impl std::fmt::Display for SpanId { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{:016x}", self.0) } }
//! #     pub struct TraceFlags(u8);
//! #     impl TraceFlags { pub fn new(flags: u8) -> Self { Self(flags) } pub fn to_u8(&self) -> u8 { self.0 } }
//! #     #[derive(Default)] pub struct TraceState;
//! #     pub struct SpanContext(TraceId, SpanId, TraceFlags);
//! #     impl SpanContext {
//! #         pub fn new(trace: TraceId, span: SpanId, flags: TraceFlags, _remote: bool, _state: TraceState) -> Self { Self(trace, span, flags) }
//! #         pub fn trace_id(&self) -> TraceId { self.0 }
//! #         pub fn span_id(&self) -> SpanId { self.1 }
//! #         pub fn trace_flags(&self) -> &TraceFlags { &self.2 }
//! #         pub fn is_valid(&self) -> bool { true }
//! #     }
//! #     pub mod bridge {
//! #         use super::*;
//! #         pub trait OpenTelemetrySpanExt {
//! #             fn set_parent_span(&self, _: SpanContext) {}
//! #             fn span_context(&self) -> SpanContext {
//! #                 SpanContext::new(TraceId::from_bytes([1; 16]), SpanId::from_bytes([2; 8]), TraceFlags::new(1), false, TraceState)
//! #             }
//! #         }
//! #         impl OpenTelemetrySpanExt for tracing::Span {}
//! #     }
//! # }
//! # use opentelemetry::bridge;
//! use bridge::OpenTelemetrySpanExt;
//! use opentelemetry::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
//!
//! /// For `ServerBuilder::interceptor`: it runs inside of the call's span.
//! fn continue_trace(cx: &mut Context) -> Result<(), Status> {
//!     let span = Span::current();
//!     span.record("otel.name", cx.method().full_name).record("otel.kind", "server");
//!     if let Some(trace) = cx.trace()
//!         && let Some(parent) = trace.parent_id()
//!     {
//!         // There: `span.set_parent(opentelemetry::Context::new().with_remote_span_context(…))`.
//!         span.set_parent_span(SpanContext::new(
//!             TraceId::from_bytes(trace.trace_id().to_bytes()),
//!             SpanId::from_bytes(parent.to_bytes()),
//!             TraceFlags::new(trace.flags()),
//!             true,
//!             TraceState::default(),
//!         ));
//!     }
//!     Ok(())
//! }
//!
//! /// For `ClientBuilder::interceptor`: what is written here takes the place of the trace that the call would carry on.
//! fn hand_trace_on(call: &mut Outbound) -> Result<(), Status> {
//!     let span = Span::current();
//!     span.record("otel.name", call.method().full_name).record("otel.kind", "client");
//!     // There: `span.context().span().span_context()`.
//!     let here = span.span_context();
//!     if here.is_valid() {
//!         let flags = here.trace_flags().to_u8();
//!         let traceparent = format!("00-{}-{}-{flags:02x}", here.trace_id(), here.span_id());
//!         call.metadata_mut().insert("traceparent", traceparent);
//!     }
//!     Ok(())
//! }
//!
//! let server = Server::builder().interceptor(continue_trace);
//! let client = Client::builder("ws://127.0.0.1:3000/rpc").interceptor(hand_trace_on);
//! # let _ = (server, client);
//! ```
//!
//! # Trace context
//!
//! A call whose metadata has a well-formed `traceparent` belongs to a trace: its handler sees it as
//! [`Context::trace`](crate::Context::trace). Each call gets a span id of its own. Calls that the handler makes with a
//! [`Client`](crate::Client) carry the trace on by themselves, with that span id as their parent and the `tracestate`
//! unchanged; in tasks that were spawned, `call.within(&cx)` does. What is malformed is ignored, as the specification
//! asks.
//!
//! Nothing here starts a trace, because only the program knows whether it should. One that does sends it along with the
//! first call:
//!
//! ```
//! use rpc_runtime::{Metadata, trace::TraceContext};
//!
//! let trace = TraceContext::start(true);
//! let mut metadata = Metadata::new();
//! trace.write_to(&mut metadata);
//! let received = TraceContext::from_metadata(&metadata).unwrap();
//! assert_eq!(received.trace_id(), trace.trace_id());
//! assert_eq!(received.parent_id(), Some(trace.span_id()));
//! ```

mod context;
mod followed;
mod id;
mod record;
mod state;

pub(crate) use context::TRACEPARENT;
pub use context::TraceContext;
pub(crate) use followed::{Follow, Followed, Inside, current, enter};
pub use id::{SpanId, TraceId};
use record::Record;
pub(crate) use record::is_watched;
