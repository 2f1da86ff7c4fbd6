//! What the calls of one connection share with its task.

use std::{
    collections::HashMap,
    fmt,
    future::{Future, poll_fn},
    hash::BuildHasherDefault,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use rpc_protocol::{
    ClientConnection, ClientEvent, ConnectionError, Limits, OpenError,
    frame::{Request, Response},
};
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::error::{CallError, Closed};
use crate::{Status, router::Identity, transport::output::OutputBuffer};

/// Above so many bytes that the server has not taken, no further call is written: it waits, as for a free stream.
pub(super) const UNSENT: usize = 1 << 20;

/// What a call came to.
pub(super) type Outcome = Result<Response, CallError>;

/// A connection, as its calls see it.
pub(super) struct Link {
    state: Mutex<State>,
    driver: AtomicWaker,
    /// Told when a stream is free again, and when nothing is to be waited for any more.
    stream_free: Notify,
    ended: Notify,
}

/// Invariant: every stream in `waiting` is one that `protocol` waits for.
pub(super) struct State {
    pub(super) protocol: ClientConnection,
    /// What calls have written, until the task takes it.
    pub(super) output: OutputBuffer,
    burst: Burst,
    waiting: HashMap<u64, oneshot::Sender<Outcome>, BuildHasherDefault<Identity>>,
    /// Calls that wait for a free stream.
    queued: usize,
    /// No handle is left: close once nothing is waited for.
    abandoned: bool,
    closed: Option<Closed>,
}

/// The calls since the last flush. Whoever was answered often calls again at once, and the requests of all of them
/// are to leave in one piece.
#[derive(Debug, Default)]
struct Burst {
    answered: usize,
    opened: usize,
}

/// For so many of its turns the connection's task lets others go first, while those who were answered have not all
/// called again.
const PATIENCE: u8 = 3;

impl Burst {
    /// Whether the requests may leave, after the connection's task has let others go first for so many turns.
    fn is_whole(&self, turns: u8) -> bool {
        match self.answered {
            // The first call after a silence: others may be about to begin as well.
            0 => turns >= 1,
            answered => self.opened >= answered || turns >= PATIENCE,
        }
    }
}

impl Link {
    pub(super) fn new() -> Arc<Self> {
        let now = Instant::now().into_std();
        Arc::new(Self {
            state: Mutex::new(State {
                protocol: ClientConnection::new(limits(), now),
                output: OutputBuffer::of_client(),
                burst: Burst::default(),
                waiting: HashMap::default(),
                queued: 0,
                abandoned: false,
                closed: None,
            }),
            driver: AtomicWaker::new(),
            stream_free: Notify::new(),
            ended: Notify::new(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which task moves the bytes.
    pub(super) fn register(&self, driver: &Waker) {
        self.driver.register(driver);
    }

    /// Sends a request, waiting for a free stream where the server allows no more.
    pub(super) async fn open(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
    ) -> Result<InFlight, CallError> {
        if let Some(opened) = self.try_open(request, body)? {
            return Ok(opened);
        }
        let _queued = Queued::new(self);
        loop {
            let free = self.stream_free.notified();
            tokio::pin!(free);
            // Before the check, so that a stream that becomes free between the two is not missed.
            free.as_mut().enable();
            if let Some(opened) = self.try_open(request, body)? {
                return Ok(opened);
            }
            free.await;
        }
    }

    /// Sends a request, unless the server allows no more streams now.
    pub(super) fn try_open(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
    ) -> Result<Option<InFlight>, CallError> {
        let mut state = self.lock();
        let State {
            protocol,
            output,
            burst,
            waiting,
            closed,
            ..
        } = &mut *state;
        if let Some(closed) = closed {
            return Err(CallError::Closed(closed.clone()));
        }
        if output.pending() > UNSENT {
            return Ok(None);
        }
        let idle = output.pending() == 0;
        let stream_id = match protocol.open(request, body, output) {
            Ok(stream_id) => stream_id,
            Err(OpenError::NoStreamFree { .. } | OpenError::WindowShut) => return Ok(None),
            Err(OpenError::TooLarge(error)) => {
                return Err(Status::resource_exhausted(format!("the request was not sent: {error}")).into());
            }
            Err(error) => return Err(Status::unavailable(error.to_string()).into()),
        };
        protocol.transmit(UNSENT, output);
        burst.opened += 1;
        let (sender, outcome) = oneshot::channel();
        if request.one_way {
            let _ = sender.send(Ok(Response::default()));
        } else {
            waiting.insert(stream_id, sender);
        }
        drop(state);
        if idle {
            self.driver.wake();
        }
        Ok(Some(InFlight {
            link: self.clone(),
            stream_id,
            outcome,
        }))
    }

    /// Ends every call, now and later, with why the connection ended.
    pub(super) fn close(&self, closed: Closed) {
        let mut state = self.lock();
        let closed = state.closed.get_or_insert(closed).clone();
        for (_, waiter) in state.waiting.drain() {
            let _ = waiter.send(Err(CallError::Closed(closed.clone())));
        }
        drop(state);
        self.stream_free.notify_waiters();
        self.ended.notify_waiters();
    }

    /// Waits until the connection is over.
    pub(super) async fn closed(&self) -> Closed {
        loop {
            let ended = self.ended.notified();
            if let Some(closed) = &self.lock().closed {
                return closed.clone();
            }
            ended.await;
        }
    }

    /// Lets calls go on that wait for a stream.
    pub(super) fn streams_became_free(&self, count: usize) {
        for _ in 0..count {
            self.stream_free.notify_one();
        }
    }
}

/// What this client accepts.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.compressions = &[];
    limits
}

impl State {
    /// Takes a message of the server's. How many waiting calls may go on because of it.
    pub(super) fn handle_message(&mut self, message: Bytes, now: Instant) -> Result<usize, ConnectionError> {
        let mut freed = self.take_message(message, now)?;
        if freed == 0 && self.queued > 0 && self.protocol.can_open() {
            // A credit may have opened the window that they wait for.
            freed = 1;
        }
        self.protocol.transmit(UNSENT, &mut self.output);
        Ok(freed)
    }

    fn take_message(&mut self, message: Bytes, now: Instant) -> Result<usize, ConnectionError> {
        let (stream_id, outcome) =
            match self
                .protocol
                .handle_message(message, now.into_std(), &mut self.output)?
            {
                ClientEvent::Response { stream_id, response } => (stream_id, Ok(response)),
                ClientEvent::End { stream_id, end } => (
                    stream_id,
                    Err(Status::from_wire(end.status.unwrap_or_default()).into()),
                ),
                // More streams may be allowed now, and a going-away server allows no more at all.
                ClientEvent::Opened { stream_id, .. } => {
                    self.protocol.cancel(stream_id, &mut self.output);
                    let text = "the response is a stream, which this call does not read";
                    (stream_id, Err(Status::unimplemented(text).into()))
                }
                ClientEvent::Greeting(_) | ClientEvent::GoAway { .. } => return Ok(self.queued),
                _ => return Ok(0),
            };
        if let Some(waiter) = self.waiting.remove(&stream_id) {
            self.burst.answered += 1;
            // Nobody waits any more when the call was dropped just now.
            let _ = waiter.send(outcome);
        }
        Ok(self.queued.min(1))
    }

    /// Whether the requests should wait for more, after the connection's task has let others go first for so many
    /// turns.
    pub(super) fn awaits_others(&self, turns: u8) -> bool {
        (1..=UNSENT).contains(&self.output.pending()) && !self.burst.is_whole(turns)
    }

    /// Hands what calls have written to the task. How many waiting calls may go on because of it.
    pub(super) fn let_go(&mut self, output: &mut OutputBuffer) -> usize {
        if self.output.pending() > 0 {
            self.burst = Burst::default();
        }
        let full = self.output.pending() > UNSENT;
        output.take_from(&mut self.output);
        if full { self.queued } else { 0 }
    }

    /// Whether there is nobody left for whom the connection is kept.
    pub(super) fn is_over(&self) -> bool {
        self.abandoned && self.waiting.is_empty() && self.queued == 0 && self.protocol.queued_bytes() == 0
    }
}

/// A call whose request was sent. Dropped before its outcome is there, it is cancelled: the server is told.
pub(super) struct InFlight {
    link: Arc<Link>,
    stream_id: u64,
    outcome: oneshot::Receiver<Outcome>,
}

impl InFlight {
    pub(super) async fn outcome(mut self) -> Outcome {
        poll_fn(|cx| self.poll_outcome(cx)).await
    }

    pub(super) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        Poll::Ready(match ready!(Pin::new(&mut self.outcome).poll(cx)) {
            Ok(outcome) => outcome,
            // The connection's task has ended with its runtime.
            Err(_) => Err(CallError::Closed(Closed::new(
                rpc_protocol::CloseCode::Abnormal,
                "",
            ))),
        })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // The common end: the outcome was received, and the channel says so without the lock.
        if self.outcome.is_terminated() {
            return;
        }
        let mut state = self.link.lock();
        let State {
            protocol,
            output,
            waiting,
            ..
        } = &mut *state;
        if waiting.remove(&self.stream_id).is_some() {
            protocol.cancel(self.stream_id, output);
        }
        let queued = state.queued > 0;
        drop(state);
        self.link.driver.wake();
        if queued {
            self.link.streams_became_free(1);
        }
    }
}

/// Counts a call that waits for a stream.
struct Queued<'a>(&'a Link);

impl<'a> Queued<'a> {
    fn new(link: &'a Link) -> Self {
        link.lock().queued += 1;
        Self(link)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.lock().queued -= 1;
        self.0.driver.wake();
    }
}

/// What all handles on a connection share.
pub(super) struct Handle(pub(super) Arc<Link>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.lock().abandoned = true;
        self.0.driver.wake();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Connection")
            .field("closed", &state.closed)
            .field("waiting", &state.waiting.len())
            .finish_non_exhaustive()
    }
}
