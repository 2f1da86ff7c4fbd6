//! Calls of methods that no service has, which a fallback takes.
//!
//! They go the way of calls through layers. Only their caller knows of what kind they are: the request is a stream where it is
//! open, and the reply what the fallback makes it.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use pin_project_lite::pin_project;
use rpc_protocol::frame::Metadata as Pair;

use super::{
    call::{self, Turn},
    checks::Protection,
    deadline::{Current, within},
    layered::{Way, emit, sent},
    producing::{Producing, Slot},
    table::MethodEntry,
    work::{StreamingCall, Work},
};
use crate::{
    Context, Status,
    contract::{Contract, MethodDescriptor, MethodKind},
    middleware::{Body, Call, Encoded, ErasedFallback, Middleware, Outcome, Reply, UnknownMethod},
    router::StartError,
};

/// What is said of the method of a call that nobody has.
pub(super) static UNKNOWN: MethodDescriptor = MethodDescriptor::new(
    "unknown",
    "unknown",
    0,
    MethodKind::Bidirectional,
    <() as Contract>::descriptor,
    <() as Contract>::descriptor,
);

/// Who takes the calls of methods that nobody has.
pub(crate) struct Unknown {
    service: Arc<dyn ErasedFallback>,
    /// For calls with one message.
    one: MethodEntry,
    /// For calls that are open.
    open: MethodEntry,
}

impl Unknown {
    pub(crate) fn new(service: Arc<dyn ErasedFallback>) -> Self {
        Self {
            service,
            one: MethodEntry::unknown(false),
            open: MethodEntry::unknown(true),
        }
    }

    /// Where such calls begin.
    pub(crate) fn entry(&self, open: bool) -> &MethodEntry {
        if open { &self.open } else { &self.one }
    }

    /// Puts middleware in front.
    pub(crate) fn put_behind(&mut self, middleware: &Arc<Middleware>) {
        self.one.put_behind(middleware.clone());
        self.open.put_behind(middleware.clone());
    }

    /// Puts what the endpoint asks for in front.
    pub(crate) fn protect(&mut self, protection: &Protection<'_>) -> Result<(), StartError> {
        self.one.protect(protection)?;
        self.open.protect(protection)
    }

    /// Takes a call that has come through layers.
    pub(super) fn serve(&self, call: Call) -> Outcome<Context> {
        let Some(method) = call.extensions().get::<UnknownMethod>().cloned() else {
            // A layer has taken it out.
            return Box::pin(async { Err(Status::internal("the call has lost its method")) });
        };
        let current = Current::of(&call.head);
        Box::pin(within(current, self.service.clone().call(method, call)))
    }
}

/// A call, to be polled once it is parked.
pub(super) fn work(way: Way, call: Call) -> Work {
    let (current, then) = (Current::of(&call.head), Current::of(&call.head));
    let answering = Answering {
        stream_id: call.head.stream_id(),
        reply: within(current, way.go(call)),
        then: Some(then),
        messages: None,
    };
    Work::Streaming(Box::pin(answering), None)
}

pin_project! {
    /// A call until its reply is known, and then the messages of that, where they are a stream.
    struct Answering<F> {
        stream_id: u64,
        #[pin]
        reply: F,
        // What is current while the messages are made.
        then: Option<Current>,
        messages: Option<Pin<Box<dyn StreamingCall>>>,
    }
}

impl<F> StreamingCall for Answering<F>
where
    F: Future<Output = Result<Reply, Status>> + Send,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<Vec<Pair>, Status>> {
        let this = self.project();
        let messages = match this.messages {
            Some(messages) => messages,
            None => {
                let reply = ready!(this.reply.poll(cx))?;
                if let Body::Message(message) = reply.body {
                    let mut reply = call::Reply {
                        response: Encoded(message),
                        sent: sent(reply.metadata, &reply.trailers),
                    };
                    turn.respond(*this.stream_id, &mut reply);
                    // The call is answered: what is said of its end is said to nobody.
                    return Poll::Ready(Ok(Vec::new()));
                }
                let slot = Slot::new();
                let current = this.then.take().unwrap_or_default();
                let future = within(current, emit(reply, slot.clone()));
                let producing = Producing::new(future, slot, *this.stream_id);
                this.messages.insert(Box::pin(producing))
            }
        };
        messages.as_mut().poll(cx, turn)
    }
}
