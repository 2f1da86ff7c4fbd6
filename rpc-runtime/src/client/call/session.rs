//! Session calls: a stream each way, run by a closure that holds both ends.

use std::{
    fmt,
    future::{Future, IntoFuture},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::StreamExt;
use prost::Message;

use super::{
    Options,
    attempts::Attempts,
    counted::counted,
    layered,
    opening::{Opened, open},
    option_methods,
    run::{Again, Once, Run},
    unary,
};
use crate::{
    CallError, Client, Outgoing, Status, Streaming,
    client::link::{CallEnd, Failure},
    contract::{ContractField, MethodDescriptor},
    middleware::Messages,
    trace,
};

/// A session call: when it is awaited, its closure is given the two ends, and runs until it returns.
///
/// When the closure has returned `Ok`, and has dropped what it sends with, the server sees the end of its input; the call
/// is over when the server's method has returned as well, so that nothing of what was sent last is lost. A closure that
/// returns an error cancels the call. What the server still sends after the closure has dropped its input is thrown away.
///
/// Dropping the future cancels the call: the server is told, and drops the handler.
#[must_use = "a call is sent when it is awaited"]
pub struct SessionCall<Q, R, F> {
    client: Client,
    options: Options,
    run: F,
    ends: PhantomData<fn(Q) -> R>,
}

/// A session call whose closure runs again, on a new call, when the connection was lost, or the server has stopped, before
/// it had returned and the client comes back; what it returned then does not count. It waits for the new connection for as long as it takes.
#[must_use = "a call is sent when it is awaited"]
pub struct ReconnectingSession<Q, R, F> {
    client: Client,
    options: Options,
    run: F,
    ends: PhantomData<fn(Q) -> R>,
}

impl<Q, R, F> ReconnectingSession<Q, R, F> {
    option_methods!();
}

impl<Q, R, F> SessionCall<Q, R, F> {
    pub(in crate::client) fn new(client: Client, method: &'static MethodDescriptor, run: F) -> Self {
        Self {
            options: Options::of_session(method),
            client,
            run,
            ends: PhantomData,
        }
    }

    option_methods!();

    /// Runs the closure again, on a new call, when the connection was lost in its midst and the client comes back.
    ///
    /// The closure must be one that can be called again. Where the compiler takes it for one that cannot, make it by
    /// [`Client::session_with_reconnect`].
    pub fn with_reconnect<Fut, T>(self) -> ReconnectingSession<Q, R, F>
    where
        F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
        Fut: Future<Output = Result<T, Status>>,
    {
        ReconnectingSession {
            client: self.client,
            options: self.options,
            run: self.run,
            ends: PhantomData,
        }
    }
}

impl<Q, R, F, Fut, T> IntoFuture for SessionCall<Q, R, F>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
    F: FnOnce(Outgoing<Q>, Streaming<R>) -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    type Output = Result<T, CallError>;
    type IntoFuture = SessionFuture<Q, R, Once<F>, Fut, T>;

    fn into_future(self) -> Self::IntoFuture {
        SessionFuture::new(self.client, self.options, Once(Some(self.run)))
    }
}

impl<Q, R, F, Fut, T> IntoFuture for ReconnectingSession<Q, R, F>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
    F: FnMut(Outgoing<Q>, Streaming<R>) -> Fut,
    Fut: Future<Output = Result<T, Status>>,
{
    type Output = Result<T, CallError>;
    type IntoFuture = SessionFuture<Q, R, Again<F>, Fut, T>;

    fn into_future(self) -> Self::IntoFuture {
        SessionFuture::new(self.client, self.options, Again(self.run))
    }
}

/// So many messages of a closure wait between it and its client's layers.
const WRITTEN_AHEAD: usize = 8;

/// A session on its way. Dropping it cancels the call.
#[must_use = "a call is sent when it is polled"]
pub struct SessionFuture<Q, R, C, Fut, T> {
    run: C,
    stage: Stage<Fut, T>,
    ends: PhantomData<fn(Q) -> R>,
}

type Opening = Pin<Box<dyn Future<Output = (Attempts, Result<Opened, CallError>)> + Send>>;

type Ending = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// ```text
///   Opening ──► Running ── the closure has returned, and the call has ended ──► done
///      ▲           │
///      └───────────┘ the connection was lost, and the closure runs again
/// ```
enum Stage<Fut, T> {
    Opening(Opening),
    Running(Box<Running<Fut, T>>),
    Done,
}

struct Running<Fut, T> {
    attempts: Attempts,
    /// Until it has returned.
    closure: Option<Pin<Box<Fut>>>,
    returned: Option<Result<T, Status>>,
    ending: Ending,
    ended: Option<Result<(), Failure>>,
    /// Whether the closure had not returned when the call ended.
    interrupted: bool,
}

impl<Q, R, C, Fut, T> SessionFuture<Q, R, C, Fut, T> {
    fn new(client: Client, options: Options, run: C) -> Self {
        Self {
            run,
            stage: Stage::Opening(Box::pin(open(Attempts::new(client, options)))),
            ends: PhantomData,
        }
    }
}

/// Nothing in it is pinned in place.
impl<Q, R, C, Fut, T> Unpin for SessionFuture<Q, R, C, Fut, T> {}

/// Waits for the end of a call. Its drop before that cancels the call.
async fn wait(end: CallEnd) -> Result<(), Failure> {
    end.wait().await
}

impl<Fut, T> Running<Fut, T>
where
    Fut: Future<Output = Result<T, Status>>,
{
    /// Ready when there is nothing to wait for any more.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let followed = self.attempts.options.followed.clone();
        trace::enter(followed.as_ref(), || self.poll_both(cx))
    }

    /// Polls the call's end, and the closure.
    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_none()
            && let Poll::Ready(ended) = self.ending.as_mut().poll(cx)
        {
            self.interrupted = self.closure.is_some();
            let over = matches!(ended, Err(Failure::TimedOut));
            self.ended = Some(ended);
            if over {
                return Poll::Ready(());
            }
        }
        if let Some(closure) = &mut self.closure {
            self.returned = Some(ready!(closure.as_mut().poll(cx)));
            self.closure = None;
            // It may have failed because the call has ended since.
            if self.ended.is_none()
                && matches!(self.returned, Some(Err(_)))
                && let Poll::Ready(ended) = self.ending.as_mut().poll(cx)
            {
                self.interrupted = true;
                self.ended = Some(ended);
            }
        }
        // A closure that failed does not wait for the server.
        if self.ended.is_some() || matches!(self.returned, Some(Err(_))) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl<Q, R, C, Fut, T> Future for SessionFuture<Q, R, C, Fut, T>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
    C: Run<Q, R, Fut>,
    Fut: Future<Output = Result<T, Status>>,
{
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.stage {
                Stage::Opening(opening) => {
                    let (attempts, opened) = ready!(opening.as_mut().poll(cx));
                    let followed = attempts.options.followed.clone();
                    match opened.map(|opened| begin(&mut this.run, attempts, opened)) {
                        Ok(Some(running)) => this.stage = Stage::Running(running),
                        Ok(None) => return Poll::Ready(Err(polled_after_its_end())),
                        Err(error) => {
                            this.stage = Stage::Done;
                            let outcome = Err(error);
                            if let Some(followed) = followed {
                                followed.finish(unary::code(&outcome));
                            }
                            return Poll::Ready(outcome);
                        }
                    }
                }
                Stage::Running(running) => {
                    ready!(running.poll(cx));
                    let Stage::Running(running) = std::mem::replace(&mut this.stage, Stage::Done) else {
                        return Poll::Ready(Err(polled_after_its_end()));
                    };
                    let mut running = *running;
                    if this.run.runs_again() && running.may_run_again() {
                        running.attempts.options.wait_for_ready = true;
                        this.stage = Stage::Opening(Box::pin(open(running.attempts)));
                    } else {
                        let followed = running.attempts.options.followed.take();
                        let outcome = running.conclude();
                        if let Some(followed) = followed {
                            followed.finish(unary::code(&outcome));
                        }
                        return Poll::Ready(outcome);
                    }
                }
                Stage::Done => return Poll::Ready(Err(polled_after_its_end())),
            }
        }
    }
}

/// Gives the closure its ends.
fn begin<Q, R, Fut, T>(
    run: &mut impl Run<Q, R, Fut>,
    attempts: Attempts,
    opened: Opened,
) -> Option<Box<Running<Fut, T>>>
where
    Q: Message + 'static,
    R: Message + Default + ContractField + 'static,
{
    let decoder = layered::decoder(&attempts.client);
    let followed = attempts.options.followed.clone();
    let (output, input, ending): (_, _, Ending) = match opened {
        Opened::Stream(opened) => {
            let (sink, inbox) = (opened.sink?, opened.inbox?);
            let ending = Box::pin(wait(sink.end()));
            // What the call came to is told by its end.
            opened.in_flight.forget();
            (
                Outgoing::to_wire(counted(sink, followed.as_ref())),
                Streaming::from_wire(inbox, decoder),
                ending,
            )
        }
        Opened::Layers(next) => {
            let (output, written) = Streaming::<Q>::channel(WRITTEN_AHEAD);
            let counting = followed.clone();
            let requests = Messages::new(written.map(move |item| {
                let encoded = item?.encode_to_vec();
                if let Some(followed) = &counting {
                    followed.request(encoded.len());
                }
                Ok(encoded.into())
            }));
            let mut options = attempts.options.copy();
            // All runs of the closure have one time together.
            options.until = attempts.deadline();
            let session = layered::session(next, attempts.client.clone(), options, requests);
            let input = Streaming::from_layers(session.input, session.trailers, None, decoder);
            (output, input, Box::pin(session.ending))
        }
    };
    let input = match followed {
        // The span's end is the session's.
        Some(followed) => input.followed(followed, false),
        None => input,
    };
    let closure = run.run(output, input)?;
    Some(Box::new(Running {
        attempts,
        closure: Some(Box::pin(closure)),
        returned: None,
        ending,
        ended: None,
        interrupted: false,
    }))
}

impl<Fut, T> Running<Fut, T> {
    /// Whether the call ended in a way after which a closure that can is run again.
    fn may_run_again(&self) -> bool {
        match &self.ended {
            Some(Err(Failure::NotRun)) => true,
            Some(Err(Failure::Closed(closed))) => {
                self.interrupted && self.attempts.client.channel().comes_back_after(closed)
            }
            Some(Err(Failure::Stopped(_))) => self.interrupted && self.attempts.client.channel().comes_back(),
            _ => false,
        }
    }

    /// What the session came to.
    fn conclude(self) -> Result<T, CallError> {
        match (self.ended, self.returned) {
            (Some(Err(Failure::TimedOut)), _) => Err(self.attempts.timed_out()),
            (Some(Err(Failure::Closed(closed))), _) => Err(CallError::Closed(closed)),
            (Some(Err(Failure::NotRun)), _) => Err(self.attempts.not_again(Failure::NotRun)),
            (_, Some(Err(status))) | (Some(Err(Failure::Status(status) | Failure::Stopped(status))), _) => {
                Err(status.into())
            }
            (_, Some(Ok(value))) => Ok(value),
            (_, None) => Err(polled_after_its_end()),
        }
    }
}

fn polled_after_its_end() -> CallError {
    Status::internal("the call was polled after its end").into()
}

impl<Q, R, F> fmt::Debug for SessionCall<Q, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCall")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

impl<Q, R, F> fmt::Debug for ReconnectingSession<Q, R, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReconnectingSession")
            .field("method", &self.options.method.full_name)
            .finish_non_exhaustive()
    }
}

impl<Q, R, C, Fut, T> fmt::Debug for SessionFuture<Q, R, C, Fut, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").finish_non_exhaustive()
    }
}
