//! What is done for a call that is parked, and what comes of it.

use std::{
    any::Any,
    future::{Future, poll_fn},
    panic::resume_unwind,
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use rpc_protocol::frame::Metadata as Pair;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    call::{Failure, RunningCall, Turn},
    panics,
};
use crate::{Context, Status, streaming::Inbox};

/// What came of a call's beginning.
pub(crate) enum Begun {
    /// The reply is in the output.
    Answered,
    /// It has failed.
    Failed(Failure),
    /// It goes on.
    Pending(Pending),
}

/// A call that goes on.
pub(crate) struct Pending {
    pub(crate) work: Work,
    /// How much memory its request takes.
    pub(crate) bytes: u64,
    /// Where the messages of the client's stream go.
    pub(crate) input: Option<Arc<Inbox>>,
}

/// A handler that writes while it runs.
pub(crate) trait StreamingCall: Send {
    /// Goes on with the handler, and writes what it gives, as far as the peer takes it and not more than a share. Ready
    /// when the handler has ended: with trailers, or with why it failed.
    fn poll(
        self: Pin<&mut Self>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Poll<Result<Vec<Pair>, Status>>;

    /// The connection is gone. What is to go on without it, if anything is.
    fn detach(self: Pin<Box<Self>>) -> Option<Detached> {
        None
    }
}

/// A session method that has lost its connection.
pub(crate) type Detached = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A session's method that goes on by itself until `poll` says that it has ended. Nobody is left to be told of a panic but the log.
pub(super) fn alone<C: Send + 'static>(
    mut call: Pin<Box<C>>,
    mut poll: impl FnMut(Pin<&mut C>, &mut TaskContext<'_>) -> Poll<()> + Send + 'static,
) -> Detached {
    Box::pin(async move {
        let ended = poll_fn(|cx| match panics::catch(|| poll(call.as_mut(), cx)) {
            Ok(polled) => polled.map(|()| None),
            Err(panic) => Poll::Ready(Some(panic)),
        });
        if let Some(panic) = ended.await {
            tracing::error!(
                panic,
                "a session's method panicked after its client had disconnected"
            );
        }
        panics::drop_quietly(call);
    })
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
    /// A handler that writes while it runs; with it the end of its task, where it has one of its own.
    Streaming(Pin<Box<dyn StreamingCall>>, Option<Ended>),
    /// Of a call that has failed, a task that has yet to end before that is told.
    Failing(Failure, Ended),
    /// Of a call that is over, a task that has yet to end.
    Ending(Ended),
}

/// What a parked call came to.
pub(crate) enum Step {
    /// There is a response to be encoded.
    Done(Pin<Box<dyn RunningCall>>),
    /// A stream has come to its end.
    Ended(Vec<Pair>),
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

    /// Whether polling it may write into the output.
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Self::Streaming(..))
    }

    /// Stops what is done for the call. Gives what has yet to end, where it does not end at once.
    pub(crate) fn stop(self) -> Option<Self> {
        match self {
            Self::Inline(call) => {
                panics::drop_quietly(call);
                None
            }
            Self::Streaming(call, ended) => {
                panics::drop_quietly(call);
                ended.map(Self::Ending)
            }
            Self::Spawned(task) => {
                task.0.abort();
                Some(Self::Spawned(task))
            }
            Self::Decoding(task, context) => {
                task.0.abort();
                Some(Self::Decoding(task, context))
            }
            Self::Failing(_, ended) | Self::Ending(ended) => Some(Self::Ending(ended)),
        }
    }

    /// Stops what is done for the call, but for a session's method: gives what is to go on.
    pub(crate) fn detach(self) -> Option<Detached> {
        match self {
            Self::Streaming(call, _) => call.detach(),
            other => {
                panics::drop_quietly(other);
                None
            }
        }
    }

    /// A stream has failed: that is told once its task, which may be the last to hear of it, has really ended.
    fn fail(
        failure: Failure,
        ended: Option<Ended>,
        cx: &mut TaskContext<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Step, Self> {
        match ended {
            Some(ended) => Self::Failing(failure, ended).poll(cx, turn),
            None => Ok(Step::Failed(failure)),
        }
    }

    /// Goes on with the call: a step, or what is left of the work.
    pub(crate) fn poll(self, cx: &mut TaskContext<'_>, turn: &mut Turn<'_>) -> Result<Step, Self> {
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
            Self::Streaming(mut call, ended) => match panics::catch(|| call.as_mut().poll(cx, turn)) {
                Ok(Poll::Ready(result)) => {
                    panics::drop_quietly(call);
                    match result {
                        Ok(trailers) => Ok(Step::Ended(trailers)),
                        Err(status) => Self::fail(status.into(), ended, cx, turn),
                    }
                }
                Ok(Poll::Pending) => Err(Self::Streaming(call, ended)),
                Err(panic) => {
                    panics::drop_quietly(call);
                    Self::fail(Failure::Panicked(panic), ended, cx, turn)
                }
            },
            Self::Failing(failure, mut ended) => match Pin::new(&mut ended.0).poll(cx) {
                Poll::Ready(_) => Ok(Step::Failed(failure)),
                Poll::Pending => Err(Self::Failing(failure, ended)),
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
            Self::Ending(mut ended) => match Pin::new(&mut ended.0).poll(cx) {
                Poll::Ready(_) => Ok(Step::Over),
                Poll::Pending => Err(Self::Ending(ended)),
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

/// Tells when a task has really ended, also where it was aborted.
pub(crate) struct Ended(oneshot::Receiver<()>);

/// The outcome of a future that runs on a task of its own, and is aborted when this is dropped. A panic goes on here.
pub(super) struct Apart<T>(Task<T>);

/// Puts a future on a task of its own.
pub(super) fn run_apart<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> (Apart<T>, Ended) {
    let (ends, ended) = oneshot::channel();
    let task = tokio::spawn(async move {
        // Dropped with the future, behind all that is in it.
        let _ends: oneshot::Sender<()> = ends;
        future.await
    });
    (Apart(Task(task)), Ended(ended))
}

impl<T> Future for Apart<T> {
    type Output = Result<T, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        Poll::Ready(match ready!(Pin::new(&mut self.0.0).poll(cx)) {
            Ok(value) => Ok(value),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                Err(_) => Err(Status::unavailable("the server is shutting down")),
            },
        })
    }
}
