//! What is behind the layers: from an encoded call to its handler, and from what that answers to an encoded reply.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;
use rpc_protocol::frame::Metadata as Pair;

use super::{
    BidirectionalMethod, ClientStreamingMethod, Gateway, ServerStreamingMethod, SessionMethod, UnaryMethod,
    begin::{converse, gateway, reply, stream},
    call,
    deadline::{Current, within},
    producing::Slot,
    reading::{read_guarded, read_many},
    session::hold,
    table::MethodEntry,
};
use crate::{
    Context, Status, Streaming,
    middleware::{Body, Call, HungUp, Messages, Outcome, Reply, Trailers},
};

/// So many messages of a session's method wait between it and its layers: they may be as long as messages get.
const SESSION_AHEAD: usize = 1;

/// Calls the handler of a call that came through layers.
pub(crate) fn serve(call: Call) -> Outcome<Context> {
    let session = call.session().clone();
    match session.router().by_number(call.method().number) {
        Some(entry) => entry.serve(call),
        None => match session.router().unknown() {
            Some(unknown) => unknown.serve(call),
            // Not reached: the router found the method when the call arrived.
            None => Box::pin(async { Err(Status::internal("the method is gone")) }),
        },
    }
}

/// What a handler answered once, encoded.
fn encoded<R: Message>(reply: call::Reply<R>) -> Reply {
    let sent = reply.sent.map(|sent| *sent).unwrap_or_default();
    let mut encoded = Reply::new(Body::Message(reply.response.encode_to_vec().into()));
    encoded.metadata = sent.metadata;
    encoded.trailers.extend(sent.trailers);
    encoded
}

pub(super) fn unary<G: Gateway, M: UnaryMethod<G>>(entry: &MethodEntry, call: Call) -> Outcome<Context> {
    let (index, plan, current) = (entry.gateway, entry.plan, Current::of(&call.head));
    let guards = entry.request_guards::<M::Request>();
    Box::pin(within(current, async move {
        let Call {
            head: context,
            body,
            route,
        } = call;
        let request = read_guarded(plan, guards, body, &route, &context).await?;
        let result = M::call(gateway::<G>(&context, index)?, &context, request).await;
        reply(&context, result).map(encoded)
    }))
}

pub(super) fn client_streaming<G: Gateway, M: ClientStreamingMethod<G>>(
    entry: &MethodEntry,
    call: Call,
) -> Outcome<Context> {
    let (index, current) = (entry.gateway, Current::of(&call.head));
    let guards = entry.request_guards::<M::Request>();
    Box::pin(within(current, async move {
        let Call {
            head: context,
            body,
            route,
        } = call;
        let context = Arc::new(context);
        let requests = read_many(guards, body, route, &context)?;
        let result = M::call(gateway::<G>(&context, index)?, &context, requests).await;
        reply(&context, result).map(encoded)
    }))
}

pub(super) fn server_streaming<G: Gateway, M: ServerStreamingMethod<G>>(
    entry: &MethodEntry,
    call: Call,
) -> Outcome<Context> {
    let (index, plan, current) = (entry.gateway, entry.plan, Current::of(&call.head));
    let guards = entry.request_guards::<M::Request>();
    Box::pin(async move {
        let Call {
            head: context,
            body,
            route,
        } = call;
        let request = read_guarded(plan, guards, body, &route, &context).await?;
        let slot = Slot::new();
        let future = stream::<G, M>(index, context, request, slot.clone());
        open(within(current, future), slot).await
    })
}

pub(super) fn bidirectional<G: Gateway, M: BidirectionalMethod<G>>(
    entry: &MethodEntry,
    call: Call,
) -> Outcome<Context> {
    let (index, current) = (entry.gateway, Current::of(&call.head));
    let guards = entry.request_guards::<M::Request>();
    Box::pin(async move {
        let Call {
            head: context,
            body,
            route,
        } = call;
        let context = Arc::new(context);
        let requests = read_many(guards, body, route, &context)?;
        let slot = Slot::new();
        let future = converse::<G, M>(index, context, requests, slot.clone());
        open(within(current, future), slot).await
    })
}

/// Polls a handler until it has returned its stream, which then goes on inside of the reply.
async fn open<F, R>(future: F, slot: Arc<Slot<R>>) -> Result<Reply, Status>
where
    F: Future<Output = Result<Vec<Pair>, Status>> + Send + 'static,
    R: Message + 'static,
{
    let mut produced = Produced {
        future: Box::pin(future),
        slot,
        next: None,
        ended: None,
        trailers: Trailers::default(),
    };
    let metadata = poll_fn(|cx| produced.poll_open(cx)).await?;
    let trailers = produced.trailers.clone();
    Ok(Reply {
        metadata: metadata.into(),
        body: Body::Stream(Messages::new(produced)),
        trailers,
    })
}

/// A handler with its stream, as a stream of encoded messages.
struct Produced<F, R> {
    future: Pin<Box<F>>,
    slot: Arc<Slot<R>>,
    /// An item that came with the stream's opening.
    next: Option<R>,
    /// How the stream ended; what it gave before may wait still.
    ended: Option<Result<Vec<Pair>, Status>>,
    trailers: Trailers,
}

impl<F, R> Produced<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>>,
{
    /// Ready with the initial metadata.
    fn poll_open(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<Vec<Pair>, Status>> {
        if let Some(metadata) = self.poll_future(cx) {
            return Poll::Ready(Ok(metadata));
        }
        match self.ended.take() {
            None => Poll::Pending,
            Some(Err(status)) => Poll::Ready(Err(status)),
            // Not reached: a stream is opened before it ends well.
            Some(Ok(_)) => Poll::Ready(Err(Status::internal("the stream was not opened"))),
        }
    }

    /// Goes on with the handler, and takes what it gives. The initial metadata, where it has just opened its stream.
    fn poll_future(&mut self, cx: &mut TaskContext<'_>) -> Option<Vec<Pair>> {
        if let Poll::Ready(ended) = self.future.as_mut().poll(cx) {
            self.ended = Some(ended);
        }
        let (opened, item) = self.slot.take();
        self.next = item;
        opened
    }
}

impl<F, R> Stream for Produced<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>>,
    R: Message,
{
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.next.is_none() && this.ended.is_none() {
            this.poll_future(cx);
        }
        if let Some(item) = this.next.take() {
            return Poll::Ready(Some(Ok(item.encode_to_vec().into())));
        }
        poll_ended(&mut this.ended, &this.trailers)
    }
}

/// How a stream ends, if it has ended.
fn poll_ended(
    ended: &mut Option<Result<Vec<Pair>, Status>>,
    trailers: &Trailers,
) -> Poll<Option<Result<Bytes, Status>>> {
    match ended.take() {
        None => Poll::Pending,
        Some(Ok(more)) => {
            trailers.extend(more.into());
            Poll::Ready(None)
        }
        Some(Err(status)) => Poll::Ready(Some(Err(status))),
    }
}

/// Nothing but the future is pinned, and that is boxed.
impl<F, R> Unpin for Produced<F, R> {}

pub(super) fn session<G: Gateway, M: SessionMethod<G>>(entry: &MethodEntry, call: Call) -> Outcome<Context> {
    let (index, current) = (entry.gateway, Current::of(&call.head));
    let guards = entry.request_guards::<M::Request>();
    Box::pin(async move {
        let Call {
            head: context,
            body,
            route,
        } = call;
        let context = Arc::new(context);
        let hung_up = route.hung_up.clone();
        let requests = read_many(guards, body, route, &context)?;
        let (output, written) = Streaming::channel(SESSION_AHEAD);
        let opened = Arc::new(OnceLock::new());
        let opening = opened.clone();
        let method = hold::<G, M>(index, context, requests, output, move |metadata| {
            // It is called once.
            let _ = opening.set(metadata);
        });
        let mut held = Held {
            method: Box::pin(within(current, method)),
            written: Some(written),
            hung_up,
            ended: None,
            failed: None,
            trailers: Trailers::default(),
        };
        poll_fn(|cx| {
            held.poll_method(cx);
            Poll::Ready(())
        })
        .await;
        let metadata = match (opened.get(), held.ended.take_if(|ended| ended.is_err())) {
            // The method was not even called.
            (None, Some(Err(status))) => return Err(status),
            (metadata, failed) => {
                held.ended = failed.or(held.ended.take());
                metadata.cloned().unwrap_or_default()
            }
        };
        let trailers = held.trailers.clone();
        Ok(Reply {
            metadata: metadata.into(),
            body: Body::Stream(Messages::new(held)),
            trailers,
        })
    })
}

/// A session's method with what it writes, as a stream of encoded messages.
struct Held<F, R> {
    method: Pin<Box<F>>,
    /// `None` when nothing more is read of it, and the method's writes fail.
    written: Option<Streaming<R>>,
    hung_up: Arc<HungUp>,
    ended: Option<Result<Vec<Pair>, Status>>,
    /// How the method ended its messages by itself.
    failed: Option<Status>,
    trailers: Trailers,
}

impl<F, R> Held<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>>,
{
    fn poll_method(&mut self, cx: &mut TaskContext<'_>) {
        if self.ended.is_none()
            && let Poll::Ready(ended) = self.method.as_mut().poll(cx)
        {
            self.ended = Some(ended);
        }
    }
}

impl<F, R> Stream for Held<F, R>
where
    F: Future<Output = Result<Vec<Pair>, Status>>,
    R: Message,
{
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.written.is_some() && this.hung_up.poll(cx) {
            this.written = None;
        }
        this.poll_method(cx);
        if let Some(written) = &mut this.written {
            match Pin::new(written).poll_next(cx) {
                Poll::Ready(Some(Ok(item))) => return Poll::Ready(Some(Ok(item.encode_to_vec().into()))),
                Poll::Ready(Some(Err(status))) => {
                    this.failed = Some(status);
                    this.written = None;
                }
                // Whatever is written after the method's return is lost.
                Poll::Ready(None) => this.written = None,
                Poll::Pending if this.ended.is_some() => this.written = None,
                Poll::Pending => return Poll::Pending,
            }
        }
        match (&this.ended, this.failed.take()) {
            (Some(_), Some(failed)) => Poll::Ready(Some(Err(failed))),
            (_, failed) => {
                this.failed = failed;
                poll_ended(&mut this.ended, &this.trailers)
            }
        }
    }
}

/// Nothing but the method is pinned, and that is boxed.
impl<F, R> Unpin for Held<F, R> {}
