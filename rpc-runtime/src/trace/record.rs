//! The span of one call, and what is written into it when the call is over.

use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use tracing::{
    Span,
    field::{self, Empty},
    record_all,
    span::Entered,
};

use super::{SpanId, TraceContext};
use crate::{
    CallId, Code,
    contract::{MethodDescriptor, MethodKind},
};

/// The span of one call, while somebody collects such spans. It is closed, with what was counted, when the last that
/// belongs to the call is dropped.
pub(crate) struct Record {
    span: Span,
    began: Instant,
    requests: Count,
    responses: Count,
    code: OnceLock<Code>,
}

/// Messages that went one way.
#[derive(Default)]
struct Count {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    fn add(&self, bytes: usize) {
        self.messages.fetch_add(1, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }
}

/// Declares the span of one side; its fields are the same on both.
macro_rules! call_span {
    ($target:literal, $name:literal, $method:expr, $call:expr, $trace:expr, $span:expr) => {
        tracing::debug_span!(
            target: $target,
            $name,
            otel.name = Empty,
            otel.kind = Empty,
            rpc.method = $method.map_or("", |method| method.full_name),
            rpc.kind = $method.map(|method| kind(method.kind)),
            rpc.client = $call.map(|call| field::display(call.client)),
            rpc.stream = $call.map(|call| call.stream_id),
            trace_id = $trace.map(|trace| field::display(trace.trace_id())),
            span_id = $span.map(field::display),
            rpc.status = Empty,
            rpc.duration_us = Empty,
            rpc.request.messages = Empty,
            rpc.request.bytes = Empty,
            rpc.response.messages = Empty,
            rpc.response.bytes = Empty,
        )
    };
}

/// Whether anybody collects spans of calls at all: one load, and a comparison.
#[inline]
pub(crate) fn is_watched() -> bool {
    tracing::Level::DEBUG <= tracing::level_filters::STATIC_MAX_LEVEL
        && tracing::Level::DEBUG <= tracing::level_filters::LevelFilter::current()
}

impl Record {
    /// Begins the span of a call that is served; `None` where nobody collects it. The method is `None` where it is not
    /// known.
    #[cold]
    pub(crate) fn of_server(
        method: Option<&MethodDescriptor>,
        call: CallId,
        trace: Option<&TraceContext>,
    ) -> Option<Self> {
        let span = trace.map(TraceContext::span_id);
        Self::of(call_span!(
            "rpc::server",
            "serve",
            method,
            Some(call),
            trace,
            span
        ))
    }

    /// Begins the span of a call that is made; `None` where nobody collects it.
    #[cold]
    pub(crate) fn of_client(method: &MethodDescriptor, trace: Option<&TraceContext>) -> Option<Self> {
        let (method, call, span) = (Some(method), None::<CallId>, None::<SpanId>);
        Self::of(call_span!("rpc::client", "call", method, call, trace, span))
    }

    fn of(span: Span) -> Option<Self> {
        (!span.is_disabled()).then(|| Self {
            span,
            began: Instant::now(),
            requests: Count::default(),
            responses: Count::default(),
            code: OnceLock::new(),
        })
    }

    /// What happens until the result is dropped belongs to the call.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Counts a message of the request, with its encoded length.
    pub(crate) fn request(&self, bytes: usize) {
        self.requests.add(bytes);
    }

    /// Counts a message of the response, with its encoded length.
    pub(crate) fn response(&self, bytes: usize) {
        self.responses.add(bytes);
    }

    /// Says how the call ended. What is said first holds; a call of which nothing is said was cancelled.
    pub(crate) fn finish(&self, code: Code) {
        let _ = self.code.set(code);
    }
}

fn kind(kind: MethodKind) -> &'static str {
    match kind {
        MethodKind::Unary => "unary",
        MethodKind::ServerStreaming => "server_streaming",
        MethodKind::ClientStreaming => "client_streaming",
        MethodKind::Bidirectional => "bidirectional",
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let code = self.code.get().copied().unwrap_or(Code::Cancelled);
        let duration = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        record_all!(
            self.span,
            rpc.status = field::display(code),
            rpc.duration_us = duration,
            rpc.request.messages = self.requests.messages.load(Relaxed),
            rpc.request.bytes = self.requests.bytes.load(Relaxed),
            rpc.response.messages = self.responses.messages.load(Relaxed),
            rpc.response.bytes = self.responses.bytes.load(Relaxed)
        );
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("span", &self.span)
            .finish_non_exhaustive()
    }
}
