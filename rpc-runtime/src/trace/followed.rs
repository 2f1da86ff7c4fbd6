//! What is followed of one call: its trace, and its span.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pin_project_lite::pin_project;

use super::{Record, TraceContext, is_watched};
use crate::{CallId, Code, Metadata, contract::MethodDescriptor};

thread_local! {
    static CURRENT: Cell<Option<Arc<Followed>>> = const { Cell::new(None) };
}

/// A call that belongs to a trace, or whose span somebody collects. Most calls are neither, and have none.
#[derive(Debug)]
pub(crate) struct Followed {
    trace: Option<TraceContext>,
    record: Option<Record>,
}

impl Followed {
    /// Follows a call that is served, if there is anything to follow.
    #[inline]
    pub(crate) fn served(
        method: Option<&MethodDescriptor>,
        call: CallId,
        metadata: &Metadata,
    ) -> Option<Arc<Self>> {
        if metadata.is_empty() && !is_watched() {
            return None;
        }
        Self::follow(method, call, metadata)
    }

    #[cold]
    fn follow(method: Option<&MethodDescriptor>, call: CallId, metadata: &Metadata) -> Option<Arc<Self>> {
        let trace = TraceContext::from_metadata(metadata);
        let record = if is_watched() {
            Record::of_server(method, call, trace.as_ref())
        } else {
            None
        };
        (trace.is_some() || record.is_some()).then(|| Arc::new(Self { trace, record }))
    }

    /// Follows a call that is made, where somebody collects its span.
    pub(crate) fn made(method: &MethodDescriptor, trace: Option<&TraceContext>) -> Option<Arc<Self>> {
        if !is_watched() {
            return None;
        }
        let record = Record::of_client(method, trace)?;
        Some(Arc::new(Self {
            // What it is in the middle of is the handler's.
            trace: None,
            record: Some(record),
        }))
    }

    /// The trace that the call belongs to.
    pub(crate) fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_ref()
    }

    /// What is done until the result is dropped is done for the call: inside its span, and with its trace as the one that
    /// calls made meanwhile carry on.
    pub(crate) fn entered(self: &Arc<Self>) -> Inside<'_> {
        Inside {
            _span: self.record.as_ref().map(Record::enter),
            _trace: self
                .trace
                .as_ref()
                .map(|_| Entered(CURRENT.replace(Some(self.clone())))),
        }
    }

    /// Counts a message of the request, with the length of its body.
    pub(crate) fn request(&self, bytes: usize) {
        if let Some(record) = &self.record {
            record.request(bytes);
        }
    }

    /// Counts a message of the response, with the length of its body.
    pub(crate) fn response(&self, bytes: usize) {
        if let Some(record) = &self.record {
            record.response(bytes);
        }
    }

    /// Says how the call ended. What is said first holds; a call of which nothing is said was cancelled.
    pub(crate) fn finish(&self, code: Code) {
        if let Some(record) = &self.record {
            record.finish(code);
        }
    }
}

pin_project! {
    /// Polls a future for a call that may be followed.
    pub(crate) struct Follow<F> {
        pub(crate) followed: Option<Arc<Followed>>,
        #[pin]
        pub(crate) future: F,
    }
}

impl<F: Future> Future for Follow<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        enter(this.followed.as_ref(), || this.future.poll(cx))
    }
}

/// Runs something for a call that may be followed.
#[inline]
pub(crate) fn enter<T>(followed: Option<&Arc<Followed>>, run: impl FnOnce() -> T) -> T {
    match followed {
        None => run(),
        Some(followed) => {
            let _inside = followed.entered();
            run()
        }
    }
}

/// The call in whose handler this is asked, where it belongs to a trace.
pub(crate) fn current() -> Option<Arc<Followed>> {
    let current = CURRENT.take();
    CURRENT.set(current.clone());
    current
}

/// While it lives, what is done is done for a call.
pub(crate) struct Inside<'a> {
    _span: Option<tracing::span::Entered<'a>>,
    _trace: Option<Entered>,
}

/// While it lives, a call is the current one. What was current before comes back.
struct Entered(Option<Arc<Followed>>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
