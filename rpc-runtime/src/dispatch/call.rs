//! One call while it runs, whatever its types.

use std::{
    any::Any,
    future::Future,
    pin::Pin,
    task::{Context as TaskContext, Poll, ready},
};

use pin_project_lite::pin_project;
use prost::Message;
use rpc_protocol::{Body, ServerConnection, frame::Response};
use tokio::task::JoinHandle;

use super::panics;
use crate::{Context, Status, transport::output::OutputBuffer};

/// Where a call's answer goes.
pub(crate) struct Turn<'a> {
    pub(crate) protocol: &'a mut ServerConnection,
    pub(crate) output: &'a mut OutputBuffer,
}

/// What came of a call's beginning.
pub(crate) enum Begun {
    /// The reply is in the output.
    Answered,
    /// It has failed.
    Failed(Failure),
    /// It goes on, with a request that takes so many bytes of memory.
    Pending(Work, u64),
}

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Failure {
    /// With the status that the handler, or a check before it, gave.
    Status(Status),
    /// The client's own making, of the kind that is counted: the body does not decode.
    Fault(Status),
    /// The handler panicked, saying this.
    Panicked(String),
    /// Its time is over.
    DeadlineExceeded,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

/// A handler that is running.
pub(crate) trait RunningCall: Send {
    /// Polls the handler. Ready with `Ok` when there is something to [`respond`](Self::respond).
    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>>;

    /// Encodes the handler's response into the output.
    fn respond(self: Pin<&mut Self>, stream_id: u64, turn: &mut Turn<'_>);
}

pin_project! {
    /// A handler's future and then, where it was parked, its response.
    pub(crate) struct Call<F, R> {
        #[pin]
        future: Option<F>,
        response: Option<R>,
    }
}

impl<F, R> Call<F, R>
where
    F: Future<Output = Result<R, Status>>,
{
    /// Room for a call.
    pub(super) fn empty() -> Self {
        Self {
            future: None,
            response: None,
        }
    }

    /// Puts a handler's future into its place.
    pub(super) fn set(self: Pin<&mut Self>, future: F) {
        self.project().future.set(Some(future));
    }

    /// Polls the handler. Once it is ready, its future is gone and the place is empty.
    #[inline]
    pub(super) fn poll_handler(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<R, Status>> {
        let mut this = self.project();
        let result = match this.future.as_mut().as_pin_mut() {
            Some(future) => ready!(future.poll(cx)),
            // Not reached: nobody polls an empty place.
            None => Err(Status::internal("the call is over")),
        };
        this.future.set(None);
        Poll::Ready(result)
    }
}

impl<F, R> RunningCall for Call<F, R>
where
    F: Future<Output = Result<R, Status>> + Send,
    R: Message,
{
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        let result = ready!(self.as_mut().poll_handler(cx));
        Poll::Ready(result.map(|response| *self.project().response = Some(response)))
    }

    fn respond(self: Pin<&mut Self>, stream_id: u64, turn: &mut Turn<'_>) {
        if let Some(response) = self.project().response.take() {
            turn.respond(stream_id, &response);
        }
    }
}

impl Turn<'_> {
    /// Encodes a response, once, into the output.
    #[inline]
    pub(crate) fn respond<R: Message>(&mut self, stream_id: u64, response: &R) {
        // A response over the peer's limit has become RESOURCE_EXHAUSTED for this call; nothing else is to be done.
        let _ = self.protocol.respond(
            stream_id,
            &Response::default(),
            &MessageBody(response),
            self.output,
        );
    }
}

/// A message as the body of a frame.
struct MessageBody<'a, M>(&'a M);

impl<M: Message> Body for MessageBody<'_, M> {
    #[inline]
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }

    #[inline]
    fn encode(&self, buf: &mut Vec<u8>) {
        self.0.encode_raw(buf);
    }
}

/// A request that was decoded on another thread; its type is known to its method.
pub(crate) type Decoded = Box<dyn Any + Send>;

/// A call's way through the parking place.
pub(crate) enum Work {
    /// The handler, polled by the connection's task.
    Inline(Pin<Box<dyn RunningCall>>),
    /// The handler, on a task of its own.
    Spawned(Task<Result<Pin<Box<dyn RunningCall>>, Status>>),
    /// The request is being decoded elsewhere; the handler comes after it.
    Decoding(Task<Result<Decoded, Failure>>, Context),
}

/// What a parked call came to.
pub(crate) enum Step {
    /// There is a response to be encoded.
    Done(Pin<Box<dyn RunningCall>>),
    Failed(Failure),
    /// The handler may begin.
    Decoded(Decoded, Context),
    /// Its time is over, and what works on it ends as soon as it can.
    Late,
    /// What worked on a call that was cancelled or late has ended.
    Over,
}

impl Work {
    /// Puts a call on a task of its own.
    pub(crate) fn spawn(mut call: Pin<Box<dyn RunningCall>>) -> Self {
        Self::Spawned(Task(tokio::spawn(async move {
            std::future::poll_fn(|cx| call.as_mut().poll(cx)).await?;
            Ok(call)
        })))
    }

    /// Stops what is done for the call. Gives what has yet to end, where it does not end at once.
    pub(crate) fn stop(self) -> Option<Self> {
        match &self {
            Self::Inline(_) => {
                panics::drop_quietly(self);
                return None;
            }
            Self::Spawned(task) => task.0.abort(),
            Self::Decoding(task, _) => task.0.abort(),
        }
        Some(self)
    }

    /// Goes on with the call: a step, or what is left of the work.
    pub(crate) fn poll(self, cx: &mut TaskContext<'_>) -> Result<Step, Self> {
        match self {
            Self::Inline(mut call) => match panics::catch(|| call.as_mut().poll(cx)) {
                Ok(Poll::Ready(Ok(()))) => Ok(Step::Done(call)),
                Ok(Poll::Ready(Err(status))) => Ok(Step::Failed(status.into())),
                Ok(Poll::Pending) => Err(Self::Inline(call)),
                Err(panic) => {
                    panics::drop_quietly(call);
                    Ok(Step::Failed(Failure::Panicked(panic)))
                }
            },
            Self::Spawned(mut task) => match Pin::new(&mut task.0).poll(cx) {
                Poll::Ready(Ok(Ok(call))) => Ok(Step::Done(call)),
                Poll::Ready(Ok(Err(status))) => Ok(Step::Failed(status.into())),
                Poll::Ready(Err(error)) => Ok(Step::Failed(Failure::Panicked(panics::of_task(error)))),
                Poll::Pending => Err(Self::Spawned(task)),
            },
            Self::Decoding(mut task, context) => match Pin::new(&mut task.0).poll(cx) {
                Poll::Ready(Ok(Ok(request))) => Ok(Step::Decoded(request, context)),
                Poll::Ready(Ok(Err(failure))) => Ok(Step::Failed(failure)),
                Poll::Ready(Err(error)) => Ok(Step::Failed(Failure::Panicked(panics::of_task(error)))),
                Poll::Pending => Err(Self::Decoding(task, context)),
            },
        }
    }
}

/// A task that ends with its handle.
pub(crate) struct Task<T>(pub(crate) JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
