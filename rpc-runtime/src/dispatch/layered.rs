//! A call that passes checks and layers: from its arrival to what comes out of them.
//!
//! What comes out is encoded already, and goes the same ways as what handlers answer: a reply at once, a parked call, a
//! stream through its slot. So cancellation, fair turns and windows hold for it as well.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use futures_core::Stream;
use futures_util::StreamExt;
use pin_project_lite::pin_project;
use rpc_protocol::frame::Metadata as Pair;

use super::{
    begin::{begin_once, input, too_much_running},
    call::{self, Failure, Turn},
    checks::Waiting,
    deadline::{Current, within},
    panics,
    producing::{Emit, Producing, Slot, emitted},
    table::{Arrived, MethodEntry},
    unknown,
    work::{Begun, Detached, Pending, StreamingCall, Work, alone, run_apart},
};
use crate::{
    Metadata, Status,
    compression::{self, Uninflated},
    context::{Sent, with_trailers},
    contract::MethodKind,
    middleware::{Body, Call, Encoded, HungUp, Messages, Next, Reply, ToHandler, Trailers},
    streaming::Inbox,
};

/// Begins a call: what it passes, and then the handler, or what has to be waited for in front of it: guards, and layers.
pub(super) fn begin(
    entry: &MethodEntry,
    mut arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    match pass(entry, &mut arrived) {
        Ok(waiting) => go_on(entry, arrived, waiting, cx, turn),
        Err(failure) => Begun::Failed(failure),
    }
}

/// The same for a call whose body came compressed: nobody has it inflated who is not let in. What has to be waited for
/// comes behind, because a call that waits counts with the memory that it takes.
#[cold]
pub(super) fn inflating(
    entry: &MethodEntry,
    mut arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let waiting = match pass(entry, &mut arrived) {
        Ok(waiting) => waiting,
        Err(failure) => return Begun::Failed(failure),
    };
    arrived.body = match compression::inflate(&arrived.body, arrived.limits.body_bytes) {
        Ok(body) => body,
        Err(error @ Uninflated::Malformed) => return Begun::Failed(Failure::Fault(error.status())),
        Err(error @ Uninflated::TooLong) => return Begun::Failed(error.status().into()),
    };
    go_on(entry, arrived, waiting, cx, turn)
}

/// Begins a call that waits for nothing in front of its handler, and is served as if there were layers.
pub(super) fn straight(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let way = Way {
        waiting: None,
        next: Next::end(),
    };
    through(entry, arrived, way, cx, turn)
}

/// Asks what answers at once; the guards that have to wait are what is left.
#[inline]
fn pass(entry: &MethodEntry, arrived: &mut Arrived<'_>) -> Result<Option<Waiting>, Failure> {
    match panics::catch(|| entry.checks.pass(arrived)) {
        Ok(passed) => passed.map_err(Failure::from),
        Err(panic) => Err(Failure::Panicked(panic)),
    }
}

#[inline]
fn go_on(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    waiting: Option<Waiting>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let next = entry.checks.service();
    if waiting.is_none() && next.is_none() {
        return (entry.handler)(entry, arrived, cx, turn);
    }
    let way = Way {
        waiting,
        next: next.unwrap_or_else(Next::end),
    };
    through(entry, arrived, way, cx, turn)
}

fn through(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    way: Way,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    match to_layers(entry, arrived) {
        Ok(layered) => layered.begin(entry, way, cx, turn),
        Err(status) => Begun::Failed(status.into()),
    }
}

/// What a call has to wait for on its way to the handler.
pub(super) struct Way {
    waiting: Option<Waiting>,
    next: Next,
}

impl Way {
    /// Asks the guards that are left, and then the layers.
    pub(super) async fn go(self, call: Call) -> Result<Reply, Status> {
        if let Some(waiting) = self.waiting {
            waiting.pass(&call.head).await?;
        }
        self.next.run(call).await
    }
}

/// A call, ready to go through layers.
struct Layered {
    call: Call,
    /// How much memory its request takes, and will take once it is decoded.
    bytes: u64,
    input: Option<Arc<Inbox>>,
}

/// Makes of what arrived what layers see. A request that would take too much memory does not come to them.
fn to_layers(entry: &MethodEntry, arrived: Arrived<'_>) -> Result<Layered, Status> {
    let Arrived {
        context,
        body,
        limits,
        running_bytes,
        step,
        ..
    } = arrived;
    let (bytes, body, inbox) = if entry.takes_stream() {
        let (inbox, messages) = input::<Encoded>(entry, &context, limits, step);
        let messages = messages.map(|message| message.map(|message| message.0));
        (0, Body::Stream(Messages::new(messages)), Some(inbox))
    } else {
        let room = (limits.running_bytes as u64).saturating_sub(running_bytes);
        let wire = body.len() as u64;
        let mut bytes = entry.plan.weigh(&body, limits.decode_bytes)?.bytes + wire;
        if bytes > room {
            bytes = entry.plan.measure(&body).bytes + wire;
            if bytes > room {
                return Err(too_much_running());
            }
        }
        (bytes, Body::Message(body), None)
    };
    let route = ToHandler {
        decode_bytes: limits.decode_bytes,
        inline_elements: limits.inline_elements,
        running_bytes: limits.running_bytes as u64,
        inbox: inbox.clone(),
        hung_up: Arc::default(),
    };
    Ok(Layered {
        call: Call {
            head: context,
            body,
            route,
        },
        bytes,
        input: inbox,
    })
}

impl Layered {
    fn begin(self, entry: &MethodEntry, way: Way, cx: &mut TaskContext<'_>, turn: &mut Turn<'_>) -> Begun {
        if entry.descriptor.is_unknown() {
            let Self { call, bytes, input } = self;
            let work = unknown::work(way, call);
            return Begun::Pending(Pending { work, bytes, input });
        }
        match entry.descriptor.kind {
            MethodKind::Unary | MethodKind::ClientStreaming => self.begin_one(entry, way, cx, turn),
            MethodKind::ServerStreaming | MethodKind::Bidirectional => self.begin_stream(entry, way),
        }
    }

    /// Begins a call that is answered once: it is polled here for the first time.
    fn begin_one(
        self,
        entry: &MethodEntry,
        way: Way,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Begun {
        let Self { call, bytes, input } = self;
        let (current, stream_id) = (Current::of(&call.head), call.head.stream_id());
        let mut running = Box::pin(call::Call::empty());
        running.as_mut().set(current, answer(way, call));
        let pending = |work| Pending { work, bytes, input };
        begin_once(entry, running, stream_id, pending, cx, turn)
    }

    /// Makes a call that is answered with a stream, to be polled once it is parked.
    fn begin_stream(self, entry: &MethodEntry, way: Way) -> Begun {
        let Self { call, bytes, input } = self;
        let (current, stream_id) = (Current::of(&call.head), call.head.stream_id());
        let hung_up = entry.is_session().then(|| call.route.hung_up.clone());
        let slot = Slot::new();
        let work = if entry.descriptor.spawn {
            let (to, from) = emitted();
            let (task, ended) = run_apart(within(current, stream(way, call, to)));
            let future = super::producing::forward(from, task, slot.clone());
            let producing = Producing::new(future, slot, stream_id);
            Work::Streaming(Box::pin(Layers { producing, hung_up }), Some(ended))
        } else {
            let future = within(current, stream(way, call, slot.clone()));
            let producing = Producing::new(future, slot, stream_id);
            Work::Streaming(Box::pin(Layers { producing, hung_up }), None)
        };
        Begun::Pending(Pending { work, bytes, input })
    }
}

/// What comes out of the layers for a call that is answered once.
async fn answer(way: Way, call: Call) -> Result<call::Reply<Encoded>, Status> {
    let Reply {
        metadata,
        body,
        trailers,
    } = way.go(call).await?;
    let Body::Message(message) = body else {
        return Err(Status::internal("a layer has made a stream of the response"));
    };
    Ok(call::Reply {
        response: Encoded(message),
        sent: sent(metadata, &trailers),
    })
}

/// What is said beside a message, if anything.
pub(super) fn sent(metadata: Metadata, trailers: &Trailers) -> Option<Box<Sent>> {
    let trailers = trailers.take();
    (!metadata.is_empty() || !trailers.is_empty()).then(|| Box::new(Sent { metadata, trailers }))
}

/// What comes out of the layers for a call that is answered with a stream, up to its end.
async fn stream(way: Way, call: Call, to: impl Emit<Encoded>) -> Result<Vec<Pair>, Status> {
    emit(way.go(call).await?, to).await
}

/// Hands on a reply that is a stream, up to its end.
pub(super) async fn emit(reply: Reply, to: impl Emit<Encoded>) -> Result<Vec<Pair>, Status> {
    let Reply {
        metadata,
        body,
        trailers,
    } = reply;
    let Body::Stream(messages) = body else {
        return Err(Status::internal("a layer has made one message of the response"));
    };
    to.open(metadata.into_pairs()).await;
    let mut messages = pin!(messages);
    while let Some(message) = poll_fn(|cx| messages.as_mut().poll_next(cx)).await {
        match message {
            Ok(message) => to.item(Encoded(message)).await,
            Err(status) => {
                let sent = Sent {
                    trailers: trailers.take(),
                    ..Sent::default()
                };
                return Err(with_trailers(status, Some(Box::new(sent))));
            }
        }
    }
    Ok(trailers.take().into_pairs())
}

pin_project! {
    /// A stream that comes out of layers. Behind them may be a session's method, which has a grace when the connection is
    /// lost.
    struct Layers<F> {
        #[pin]
        producing: Producing<F, Encoded>,
        // Of a session alone.
        hung_up: Option<Arc<HungUp>>,
    }
}

impl<F> StreamingCall for Layers<F>
where
    F: Future<Output = Result<Vec<Pair>, Status>> + Send + 'static,
{
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<Vec<Pair>, Status>> {
        self.project().producing.poll(cx, turn)
    }

    fn detach(self: Pin<Box<Self>>) -> Option<Detached> {
        self.hung_up.as_ref()?.set();
        Some(alone(self, |call, cx| call.project().producing.poll_unheard(cx)))
    }
}
