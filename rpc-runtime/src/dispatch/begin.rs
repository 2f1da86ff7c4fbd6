//! From the body of a request to its handler, for each kind of method but a session's.

use std::{
    borrow::Borrow,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use prost::Message;
use rpc_protocol::frame::Metadata as Pair;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{
    BidirectionalMethod, ClientStreamingMethod, Gateway, ServerStreamingMethod, UnaryMethod,
    call::{Call, Failure, Reply, Turn},
    deadline::{Current, within},
    panics,
    producing::{Emit, Emitted, Producing, Slot, drain, emitted, forward},
    spare,
    table::{Arrived, MethodEntry},
    work::{Begun, Decoded, Pending, Task, Work, run_apart},
};
use crate::{
    Context, Limits, Status,
    context::with_trailers,
    contract::{ContractField, RequestPlan},
    session::Held,
    streaming::{Decoder, Inbox, Streaming},
};

/// Begins the handler of a request that was read.
type Run<Q> = fn(&MethodEntry, Q, u64, Context, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun;

/// Reads a request that is one message, and begins its handler.
#[inline]
pub(super) fn read_and_run<Q: Message + Default + ContractField + Send + 'static>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
    run: impl FnOnce(&MethodEntry, Q, u64, Context, &mut TaskContext<'_>, &mut Turn<'_>) -> Begun,
) -> Begun {
    let Arrived {
        context,
        body,
        limits,
        running_bytes,
        ..
    } = arrived;
    let plan = entry.plan;
    let room = (limits.running_bytes as u64).saturating_sub(running_bytes);
    // Fields may be parts of the body, which then stays.
    let wire = body.len() as u64;
    let mut cost = match plan.weigh(&body, limits.decode_bytes) {
        Ok(cost) => cost,
        Err(status) => return Begun::Failed(status.into()),
    };
    if cost.bytes + wire > room {
        cost = plan.measure(&body);
        if cost.bytes + wire > room {
            return Begun::Failed(too_much_running().into());
        }
    }
    let bytes = cost.bytes + wire;
    match cost {
        cost if cost.elements > limits.inline_elements => {
            let task =
                spawn_blocking(move || read::<Q>(plan, body).map(|request| Box::new(request) as Decoded));
            Begun::Pending(Pending {
                work: Work::Decoding(Task(task), context),
                bytes,
                input: None,
            })
        }
        _ => match panics::catch(|| read::<Q>(plan, body)) {
            Ok(Ok(request)) => run(entry, request, bytes, context, cx, turn),
            Ok(Err(failure)) => Begun::Failed(failure),
            Err(panic) => Begun::Failed(Failure::Panicked(panic)),
        },
    }
}

/// Decodes and validates. Only what does not decode is counted against the client.
pub(super) fn read<R: Message + Default + ContractField>(
    plan: RequestPlan,
    body: Bytes,
) -> Result<R, Failure> {
    let request = plan.decode::<R>(body).map_err(Failure::Fault)?;
    plan.check(&request)?;
    Ok(request)
}

/// Begins the handler of a request that was decoded elsewhere.
pub(super) fn resume<Q: 'static>(
    entry: &MethodEntry,
    request: Decoded,
    bytes: u64,
    context: Context,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
    run: Run<Q>,
) -> Begun {
    match request.downcast::<Q>() {
        Ok(request) => run(entry, *request, bytes, context, cx, turn),
        // Not reached: the same method's `begin` has made it.
        Err(_) => Begun::Failed(Status::internal("the request has another type").into()),
    }
}

#[cold]
pub(super) fn too_much_running() -> Status {
    Status::resource_exhausted("the running calls of this connection take too much memory")
}

/// The gateway of a method. The session keeps the router, so that the gateway is borrowed and no counter shared between
/// connections is touched.
pub(super) fn gateway<G: Gateway>(context: &Context, index: usize) -> Result<&G, Status> {
    context
        .session()
        .router()
        .gateway(index)
        // Not reached: the gateway has registered the method.
        .ok_or_else(|| Status::internal("the gateway has another type"))
}

/// What a handler answered, with what it says beside it.
#[inline]
pub(super) fn reply<R>(context: &Context, result: Result<R, Status>) -> Result<Reply<R>, Status> {
    let sent = context.take_sent();
    match result {
        Ok(response) => Ok(Reply { response, sent }),
        Err(status) if sent.is_none() => Err(status),
        Err(status) => Err(with_trailers(status, sent)),
    }
}

/// Polls a unary handler for the first time.
pub(super) fn unary<G: Gateway, M: UnaryMethod<G>>(
    entry: &MethodEntry,
    request: M::Request,
    bytes: u64,
    context: Context,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let (index, stream_id) = (entry.gateway, context.stream_id());
    let current = Current::of(&context);
    let future = async move {
        let context = context;
        let result = M::call(gateway::<G>(&context, index)?, &context, request).await;
        reply(&context, result)
    };
    let mut call = spare::take(entry.index).unwrap_or_else(|| Box::new(Box::pin(Call::empty())));
    (*call).as_mut().set(current, future);
    let pending = |work| {
        Begun::Pending(Pending {
            work,
            bytes,
            input: None,
        })
    };
    if entry.descriptor.spawn {
        return pending(Work::spawn(*call));
    }
    match panics::catch(|| (*call).as_mut().poll_handler(cx)) {
        Ok(Poll::Ready(mut result)) => {
            spare::give(entry.index, call);
            // Not moved: a response is as long as its fields are many.
            if let Ok(reply) = &mut result {
                turn.respond(stream_id, reply);
            }
            match result {
                Ok(_) => Begun::Answered,
                Err(status) => Begun::Failed(status.into()),
            }
        }
        Ok(Poll::Pending) => pending(Work::Inline(*call)),
        Err(panic) => {
            panics::drop_quietly(call);
            Begun::Failed(Failure::Panicked(panic))
        }
    }
}

/// Makes the call of a server-streaming handler, to be polled once it is parked.
pub(super) fn server_streaming<G: Gateway, M: ServerStreamingMethod<G>>(
    entry: &MethodEntry,
    request: M::Request,
    bytes: u64,
    context: Context,
    _: &mut TaskContext<'_>,
    _: &mut Turn<'_>,
) -> Begun {
    let (index, stream_id, current) = (entry.gateway, context.stream_id(), Current::of(&context));
    let work = if entry.descriptor.spawn {
        let (to, from) = emitted();
        apart(
            stream_id,
            within(current, stream::<G, M>(index, context, request, to)),
            from,
        )
    } else {
        let slot = Slot::new();
        let future = within(current, stream::<G, M>(index, context, request, slot.clone()));
        Work::Streaming(Box::pin(Producing::new(future, slot, stream_id)), None)
    };
    Begun::Pending(Pending {
        work,
        bytes,
        input: None,
    })
}

/// A server-streaming handler, and then its stream.
pub(super) async fn stream<G: Gateway, M: ServerStreamingMethod<G>>(
    index: usize,
    context: Context,
    request: M::Request,
    to: impl Emit<M::Response>,
) -> Result<Vec<Pair>, Status> {
    let opened = M::call(gateway::<G>(&context, index)?, &context, request).await;
    context.end(drain(opened, &context, &to).await)
}

/// A bidirectional handler, and then its stream.
pub(super) async fn converse<G: Gateway, M: BidirectionalMethod<G>>(
    index: usize,
    context: impl Borrow<Context> + Send,
    requests: Streaming<M::Request>,
    to: impl Emit<M::Response>,
) -> Result<Vec<Pair>, Status> {
    let context = context.borrow();
    let opened = M::call(gateway::<G>(context, index)?, context, requests).await;
    context.end(drain(opened, context, &to).await)
}

/// The call of a stream that is made on a task of its own.
fn apart<R: Message + 'static>(
    stream_id: u64,
    stream: impl Future<Output = Result<Vec<Pair>, Status>> + Send + 'static,
    from: mpsc::Receiver<Emitted<R>>,
) -> Work {
    let (task, ended) = run_apart(stream);
    let slot = Slot::new();
    let future = forward(from, task, slot.clone());
    Work::Streaming(Box::pin(Producing::new(future, slot, stream_id)), Some(ended))
}

/// Where the messages of a client's stream go, and the end that a handler reads.
pub(super) fn input<Q: Message + Default + ContractField + Send + 'static>(
    entry: &MethodEntry,
    context: &Context,
    limits: &Limits,
    step: usize,
) -> (Arc<Inbox>, Streaming<Q>) {
    let session = context.session();
    let meter = entry.checks.rates().map(|rates| rates.meter(session));
    let inbox = Inbox::of_client(context.stream_id(), session.clone(), step, meter);
    let held = Held::new(context.session().clone(), limits.running_bytes as u64);
    let decoder = Decoder::of_requests(limits.decode_bytes, limits.inline_elements)
        .inflating(limits.body_bytes)
        .charging(held);
    let streaming = Streaming::from_wire(inbox.clone(), decoder);
    (inbox, streaming)
}

/// What a method that takes a stream is begun with: its context, where messages go, and the end that it reads.
pub(super) fn streaming<Q: Message + Default + ContractField + Send + 'static>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
) -> (Context, Arc<Inbox>, Streaming<Q>) {
    let Arrived {
        context,
        limits,
        step,
        ..
    } = arrived;
    let (inbox, requests) = input(entry, &context, limits, step);
    (context, inbox, requests)
}

/// Begins a client-streaming handler.
pub(super) fn client_streaming<G: Gateway, M: ClientStreamingMethod<G>>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun {
    let (context, inbox, requests) = streaming(entry, arrived);
    let (index, stream_id) = (entry.gateway, context.stream_id());
    let current = Current::of(&context);
    let future = async move {
        let context = context;
        let result = M::call(gateway::<G>(&context, index)?, &context, requests).await;
        reply(&context, result)
    };
    let mut call = Box::pin(Call::empty());
    call.as_mut().set(current, future);
    let pending = |work| Pending {
        work,
        bytes: 0,
        input: Some(inbox),
    };
    begin_once(entry, call, stream_id, pending, cx, turn)
}

/// Begins a call that is answered once: it is polled here for the first time. A unary one without layers goes a shorter way.
pub(super) fn begin_once<F, R>(
    entry: &MethodEntry,
    mut call: Pin<Box<Call<F, R>>>,
    stream_id: u64,
    pending: impl FnOnce(Work) -> Pending,
    cx: &mut TaskContext<'_>,
    turn: &mut Turn<'_>,
) -> Begun
where
    F: Future<Output = Result<Reply<R>, Status>> + Send + 'static,
    R: Message + 'static,
{
    if entry.descriptor.spawn {
        return Begun::Pending(pending(Work::spawn(call)));
    }
    match panics::catch(|| call.as_mut().poll_handler(cx)) {
        Ok(Poll::Ready(Ok(mut reply))) => {
            turn.respond(stream_id, &mut reply);
            Begun::Answered
        }
        Ok(Poll::Ready(Err(status))) => Begun::Failed(status.into()),
        Ok(Poll::Pending) => Begun::Pending(pending(Work::Inline(call))),
        Err(panic) => {
            panics::drop_quietly(call);
            Begun::Failed(Failure::Panicked(panic))
        }
    }
}

/// Makes the call of a bidirectional handler, to be polled once it is parked.
pub(super) fn bidirectional<G: Gateway, M: BidirectionalMethod<G>>(
    entry: &MethodEntry,
    arrived: Arrived<'_>,
    _: &mut TaskContext<'_>,
    _: &mut Turn<'_>,
) -> Begun {
    let (context, inbox, requests) = streaming(entry, arrived);
    let (index, stream_id, current) = (entry.gateway, context.stream_id(), Current::of(&context));
    let work = if entry.descriptor.spawn {
        let (to, from) = emitted();
        apart(
            stream_id,
            within(current, converse::<G, M>(index, context, requests, to)),
            from,
        )
    } else {
        let slot = Slot::new();
        let future = within(current, converse::<G, M>(index, context, requests, slot.clone()));
        Work::Streaming(Box::pin(Producing::new(future, slot, stream_id)), None)
    };
    Begun::Pending(Pending {
        work,
        bytes: 0,
        input: Some(inbox),
    })
}
