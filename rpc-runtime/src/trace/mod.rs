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
//! | field | |
//! |---|---|
//! | `rpc.method` | the full name, such as `task.TaskService/AddTask`; empty where it is not known |
//! | `rpc.kind` | `unary`, `server_streaming`, `client_streaming`, `bidirectional` |
//! | `rpc.client`, `rpc.stream` | the client's id and the stream's, which together are the call's id in other log lines |
//! | `trace_id`, `span_id` | of the trace context, where the call belongs to a trace |
//! | `rpc.status` | the code with which the call ended, such as `OK` or `NOT_FOUND`; `CANCELLED` where its client gave it up |
//! | `rpc.duration_us` | how long it took, in microseconds |
//! | `rpc.request.messages`, `rpc.request.bytes` | how many messages came, and the bytes of their bodies as they came |
//! | `rpc.response.messages`, `rpc.response.bytes` | the same for what was sent |
//! | `otel.name`, `otel.kind` | left empty, to be recorded where spans go to OpenTelemetry |
//!
//! The last ones are recorded when the call is over. Nothing is made while no subscriber is interested in DEBUG: a call
//! then costs one load and a comparison. With [`tracing_subscriber`] they are asked for by a filter such as
//! `info,rpc=debug`.
//!
//! [`tracing_subscriber`]: https://docs.rs/tracing-subscriber
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
pub(crate) use followed::{Followed, Inside, current, enter};
pub use id::{SpanId, TraceId};
use record::{Record, is_watched};
