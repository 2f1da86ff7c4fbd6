//! What the calls of one connection share with its task.

mod authentications;
mod away;
mod burst;
mod cell;
mod in_flight;
mod opening;
mod receiving;
mod state;
mod stream;
mod table;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::Waker,
};

use futures_util::task::AtomicWaker;
use rpc_protocol::{
    ClientConnection, CloseCode, Replay,
    frame::{Compression, GoAway, Greeting},
};
use tokio::{sync::Notify, time::Instant};

pub(super) use authentications::Answer;
pub(super) use cell::{Failure, Outcome};
pub(super) use in_flight::InFlight;
pub(super) use opening::NotOpened;

use super::{
    ClientLimits, changes,
    channel::Config,
    error::Closed,
    hub::HubCell,
    identity::Standing,
    resume::{Resumption, Return},
};
use crate::{Status, transport::output::OutputBuffer};
pub(super) use state::State;
pub(super) use stream::{CallEnd, OpenedStream, Shape, StreamSink};

/// A connection, as its calls see it.
pub(super) struct Link {
    /// Counts the client's connections; another one where calls go on over it.
    number: AtomicU64,
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

/// What happened to a connection that its client is to know.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    Closed(Closed),
    /// Its calls wait for another socket.
    Lost(Closed),
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
        let mut greeting = back_to.map_or_else(Greeting::default, Return::greeting);
        let replay_bytes = resumption.replay_bytes(limits.replay_bytes);
        if replay_bytes > 0 {
            greeting.replay_bytes = replay_bytes as u64;
            output.keep_for_resume(Some(Box::new(Replay::new(0, replay_bytes))));
        }
        protocol.greet(greeting, &mut output);
        Arc::new(Self {
            number: AtomicU64::new(standing.begins()),
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
        self.number.load(Ordering::Relaxed)
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
            .ended(self.number(), closed.close_code(), received, settled);
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
        let mut state = self.lock();
        if state.is_lost().is_some() {
            // There is nobody to be told.
            drop(state);
            return self.close(Closed::new(code, reason));
        }
        state
            .close_requested
            .get_or_insert_with(|| (code, reason.to_owned()));
        drop(state);
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
            let closed = closed.or_else(|| state.is_lost().map(Fate::Lost));
            closed.or_else(|| state.going_away.clone().map(Fate::GoingAway))
        })
        .await
    }

    /// Waits until the connection is over.
    pub(super) async fn closed(&self) -> Closed {
        self.until(|state| state.closed.clone()).await
    }

    async fn until<T>(&self, holds: impl Fn(&State) -> Option<T>) -> T {
        changes::until(&self.changed, || holds(&self.lock())).await
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

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Link")
            .field("closed", &state.closed)
            .field("calls", &state.open_calls())
            .finish_non_exhaustive()
    }
}
