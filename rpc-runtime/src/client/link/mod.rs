//! What the calls of one connection share with its task.

mod authentications;
mod burst;
mod cell;
mod in_flight;
mod state;
mod stream;
mod table;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Waker,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use rpc_protocol::{
    ClientConnection, CloseCode, OpenError,
    frame::{Compression, GoAway, Greeting, Request, Response},
};
use tokio::{sync::Notify, time::Instant};

pub(super) use authentications::Answer;
pub(super) use cell::{Failure, Outcome};
pub(super) use in_flight::InFlight;

use super::{
    ClientLimits,
    channel::Config,
    error::Closed,
    hub::HubCell,
    identity::Standing,
    resume::{Resumption, Return},
};
use crate::{Status, streaming::Inbox, transport::output::OutputBuffer};
use state::Entry;
pub(super) use state::State;
pub(super) use stream::{CallEnd, OpenedStream, Shape, StreamSink};
use stream::{Sender, StreamEntry};

/// A connection, as its calls see it.
pub(super) struct Link {
    /// Counts the client's connections.
    number: u64,
    /// Who the client is.
    standing: Arc<Standing>,
    hub: Arc<HubCell>,
    /// By what it comes back to its session.
    resumption: Arc<Resumption>,
    pub(super) limits: Arc<ClientLimits>,
    /// So much of a stream is read before the protocol is told: well below half of the window, so that a reader that has
    /// read everything has told enough for the server to go on.
    step: usize,
    state: Mutex<State>,
    driver: AtomicWaker,
    /// Whether calls may be opened: neither closed nor going away.
    open: AtomicBool,
    /// What the program chose, and usize::MAX until the server has said that it reads compressed bodies.
    deflate_above: AtomicUsize,
    compress_above: Option<usize>,
    /// Told when a stream is free again, and when nothing is to be waited for any more.
    stream_free: Notify,
    /// Told when the connection is over, and when the server goes away.
    changed: Notify,
}

/// Why a call was not opened. Nothing was sent.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// The server allows no more now, or does not take what was sent before.
    Full,
    /// This connection takes no more calls.
    Gone,
    /// This call cannot be sent.
    Refused(Status),
}

/// What happened to a connection that its client is to know.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    Closed(Closed),
    GoingAway(GoAway),
}

/// Whom a message of the server's lets go on; to be told when the connection's lock is free.
#[derive(Debug, Default)]
pub(super) struct Woken {
    wakers: Vec<Waker>,
    /// So many calls that wait for a free stream.
    streams: usize,
    fate: bool,
}

impl Link {
    /// A connection that is not made yet: its first frame, by which it may come back to a session, is written.
    pub(super) fn new(config: &Config, back_to: Option<Return>) -> Arc<Self> {
        let Config {
            limits,
            compress_above,
            standing,
            resumption,
            hub,
            ..
        } = config;
        let (limits, compress_above) = (limits.clone(), *compress_above);
        let (standing, resumption, hub) = (standing.clone(), resumption.clone(), hub.clone());
        let now = Instant::now().into_std();
        let protocol_limits = limits.protocol();
        let step = protocol_limits.stream_window_bytes / 8;
        let mut protocol = ClientConnection::new(protocol_limits, now);
        let mut output = OutputBuffer::of_client();
        // It tells the limits and the compressions that can be read.
        let greeting = back_to.map_or_else(Greeting::default, Return::greeting);
        protocol.greet(greeting, &mut output);
        Arc::new(Self {
            number: standing.begins(),
            standing,
            hub,
            resumption,
            state: Mutex::new(State::new(protocol, output, limits.unsent_bytes)),
            step,
            limits,
            driver: AtomicWaker::new(),
            open: AtomicBool::new(true),
            deflate_above: AtomicUsize::new(usize::MAX),
            compress_above,
            stream_free: Notify::new(),
            changed: Notify::new(),
        })
    }

    /// Which of the client's connections it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which task moves the bytes.
    pub(super) fn register(&self, driver: &Waker) {
        self.driver.register(driver);
    }

    /// Whether calls may be opened here.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Longer bodies are worth compressing, and the server reads that.
    #[inline]
    pub(super) fn deflate_above(&self) -> usize {
        self.deflate_above.load(Ordering::Relaxed)
    }

    /// Sends a request, waiting for a free stream where the server allows no more.
    pub(super) async fn open(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
    ) -> Result<InFlight, NotOpened> {
        self.when_free(|| self.try_open(request, body)).await
    }

    /// The same for a call that streams.
    pub(super) async fn open_stream(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
        shape: Shape,
    ) -> Result<OpenedStream, NotOpened> {
        self.when_free(|| self.try_open_stream(request, body, shape))
            .await
    }

    async fn when_free<T>(&self, open: impl Fn() -> Result<T, NotOpened>) -> Result<T, NotOpened> {
        match open() {
            Err(NotOpened::Full) => {}
            result => return result,
        }
        let _queued = Queued::new(self);
        loop {
            let free = self.stream_free.notified();
            tokio::pin!(free);
            // Before the check, so that a stream that becomes free between the two is not missed.
            free.as_mut().enable();
            match open() {
                Err(NotOpened::Full) => free.await,
                result => return result,
            }
        }
    }

    /// Sends a request, unless the server allows no more streams now.
    #[inline]
    pub(super) fn try_open(self: &Arc<Self>, request: &Request, body: &Bytes) -> Result<InFlight, NotOpened> {
        let mut state = self.lock();
        let idle = state.output.pending() == 0;
        let (stream_id, cell) = state.open(request, body)?;
        if request.one_way {
            cell.complete(Ok(Response::default()));
        } else {
            state.calls.insert(stream_id, Entry::unary(cell.clone()));
        }
        drop(state);
        if idle {
            self.driver.wake();
        }
        Ok(InFlight::new(self.clone(), stream_id, cell))
    }

    /// Opens a call that streams, unless the server allows no more streams now.
    fn try_open_stream(
        self: &Arc<Self>,
        request: &Request,
        body: &Bytes,
        shape: Shape,
    ) -> Result<OpenedStream, NotOpened> {
        let mut state = self.lock();
        let (stream_id, cell) = state.open(request, body)?;
        let inbox = shape
            .responses
            .then(|| Inbox::new(stream_id, self.clone(), self.step));
        let sender: Option<Arc<Sender>> = shape.requests.then(Arc::default);
        let stream = StreamEntry {
            inbox: inbox.clone(),
            sender: sender.clone(),
            shape,
            unread: 0,
        };
        state.insert(stream_id, cell.clone(), stream);
        drop(state);
        self.driver.wake();
        Ok(OpenedStream {
            in_flight: InFlight::new(self.clone(), stream_id, cell),
            inbox,
            sink: sender.map(|sender| Arc::new(StreamSink::new(self.clone(), stream_id, sender))),
        })
    }

    /// Gives a call up: the server is told, and what waits for the call has this as its end.
    fn give_up(&self, stream_id: u64, failure: Failure) {
        let mut woken = Woken::default();
        let mut state = self.lock();
        state.cancel(stream_id, failure, &mut woken);
        drop(state);
        self.driver.wake();
        self.wake(&mut woken);
    }

    /// Ends every call, now and later, with why the connection ended.
    pub(super) fn close(&self, closed: Closed) {
        let mut woken = Woken::default();
        let mut state = self.lock();
        let closed = state.closed.get_or_insert(closed).clone();
        let received = state.protocol.received_frames();
        let settled = !state.authentications.are_asked();
        self.resumption
            .ended(self.number, closed.close_code(), received, settled);
        self.open.store(false, Ordering::Release);
        state.fail_all(&Failure::Closed(closed), &mut woken);
        drop(state);
        woken.fate = true;
        self.wake(&mut woken);
    }

    /// The connection's task has ended: nothing of it is left.
    pub(super) fn end(&self) {
        self.lock().gone = true;
        self.changed.notify_waiters();
    }

    /// Waits until nothing is left of a connection that is closed or is to be; not of one whose calls go on.
    pub(super) async fn gone(&self) {
        self.until(|state| {
            let closes = state.closed.is_some() || state.close_requested.is_some();
            (state.gone || !closes).then_some(())
        })
        .await;
    }

    /// Closes the connection with a close frame, in a moment; what was written before goes out first.
    pub(super) fn request_close(&self, code: CloseCode, reason: &str) {
        self.open.store(false, Ordering::Release);
        self.lock()
            .close_requested
            .get_or_insert_with(|| (code, reason.to_owned()));
        self.driver.wake();
    }

    /// No call will come any more: the connection is closed, with 1000, once nothing is waited for.
    pub(super) fn abandon(&self) {
        self.lock().abandoned = true;
        self.driver.wake();
    }

    /// Waits until the server goes away or the connection is over.
    pub(super) async fn fate(&self) -> Fate {
        self.until(|state| {
            let closed = state.closed.clone().map(Fate::Closed);
            closed.or_else(|| state.going_away.clone().map(Fate::GoingAway))
        })
        .await
    }

    /// Waits until the connection is over.
    pub(super) async fn closed(&self) -> Closed {
        self.until(|state| state.closed.clone()).await
    }

    async fn until<T>(&self, holds: impl Fn(&State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(found) = holds(&self.lock()) {
                return found;
            }
            changed.await;
        }
    }

    /// Lets those go on who may, once the lock is free.
    pub(super) fn wake(&self, woken: &mut Woken) {
        for waker in woken.wakers.drain(..) {
            waker.wake();
        }
        if std::mem::take(&mut woken.fate) {
            self.stream_free.notify_waiters();
            self.changed.notify_waiters();
        }
        for _ in 0..std::mem::take(&mut woken.streams) {
            self.stream_free.notify_one();
        }
    }

    /// A call is not waited for any more.
    fn drop_call(&self, stream_id: u64) {
        self.give_up(
            stream_id,
            Failure::Status(Status::cancelled("the call was given up")),
        );
    }

    /// The server says what it accepts.
    fn on_greeting(&self, greeting: &Greeting) {
        if let Some(bytes) = self.compress_above
            && greeting.compressions.contains(&Compression::DEFLATE)
        {
            self.deflate_above.store(bytes, Ordering::Relaxed);
        }
    }

    /// No more calls are opened here.
    fn shut(&self) {
        self.open.store(false, Ordering::Release);
    }

    /// Tells the connection's task that there is something to do.
    fn wake_driver(&self) {
        self.driver.wake();
    }
}

impl From<OpenError> for NotOpened {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NoStreamFree { .. } | OpenError::WindowShut => Self::Full,
            OpenError::GoingAway => Self::Gone,
            OpenError::TooLarge(error) => Self::Refused(Status::resource_exhausted(format!(
                "the request was not sent: {error}"
            ))),
            error => Self::Refused(Status::internal(error.to_string())),
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
        let mut state = self.0.lock();
        state.queued -= 1;
        // One is let go at a time: whoever has gone lets the next one go.
        let next = state.queued > 0 && state.protocol.can_open();
        drop(state);
        if next {
            self.0.stream_free.notify_one();
        }
        self.0.wake_driver();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Link")
            .field("closed", &state.closed)
            .field("calls", &state.open_calls())
            .finish_non_exhaustive()
    }
}
