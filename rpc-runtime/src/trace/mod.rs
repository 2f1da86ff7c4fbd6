//! Following a call: the trace it belongs to.
//!
//! Owns the [W3C trace context](https://www.w3.org/TR/trace-context/) that travels in a call's metadata. It exports
//! nothing; the programs that collect spans do.
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
mod id;
mod state;

pub use context::TraceContext;
pub use id::{SpanId, TraceId};
