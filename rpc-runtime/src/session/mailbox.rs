//! How others reach a connection's task: calls that became ready, and commands.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
    time::Duration,
};

use rpc_protocol::CloseCode;
use tokio::sync::oneshot;

use super::Session;
use crate::{
    hub::{EventQueue, Put, Queued, SlowConsumer},
    server::Kept,
};

/// What a connection is told to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Say go-away, let running calls finish, close when none is left.
    Drain,
    /// The drain is over: end running calls, and close.
    Stop,
    /// Close now.
    Close { code: CloseCode, reason: String },
    /// Give the session to another connection, on which its client has come back.
    HandOver(Claim),
    /// Do not wait any more for the client, if it is the wait with this number that still goes on.
    GiveUp(u64),
    /// Measure how long a ping takes, and tell.
    Ping(oneshot::Sender<Duration>),
}

/// A client that comes back, as its new connection asks for its session. Where that is not to be had, the claim is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Whom it has proved to be in its handshake, where it has.
    pub(crate) user: Option<Arc<str>>,
    pub(crate) answer: oneshot::Sender<Claimed>,
}

/// What a claim came to.
#[derive(Debug)]
pub(crate) enum Claimed {
    Session(Kept),
    /// The session is of another user, and stays where it is.
    OfSomebodyElse,
}

/// The letters for one connection's task.
///
/// What every event looks at stands together, at the end.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Mailbox {
    contents: Mutex<Contents>,
    /// Whether `contents` holds anything: looked at once per turn, without a lock.
    filled: AtomicBool,
    /// The task is in its turn, at whose end it looks here: it need not be woken.
    attended: AtomicBool,
    /// Whether an event has come since the connection looked last.
    has_events: AtomicBool,
    /// Whom to wake. It stays here when it was woken: registering it anew would cost every event some locked instructions.
    task: Mutex<Option<Waker>>,
    /// Made with the first event.
    events: OnceLock<Box<EventQueue>>,
}

/// What was put into a mailbox since it was last emptied.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    /// Slots of parked calls that want to be polled.
    pub(crate) woken: Vec<u32>,
    pub(crate) commands: Vec<Command>,
    pub(crate) reports: Vec<Report>,
}

/// What the readers of clients' streams tell.
#[derive(Debug)]
pub(crate) enum Report {
    /// So many counted bytes were read.
    Consumed { stream_id: u64, bytes: usize },
    /// Nobody reads the stream any more.
    Abandoned { stream_id: u64 },
    /// A message did not decode.
    Fault,
}

impl Mailbox {
    /// Begins a turn of the task, which is the one to wake from now on. To be called before [`take`](Self::take).
    pub(crate) fn begin_turn(&self, task: &Waker) {
        let mut known = lock(&self.task);
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            let last = known.replace(task.clone());
            // What goes with it may want the lock.
            drop(known);
            drop(last);
        }
        self.begin_short_turn();
    }

    /// Begins a turn of the task that has begun the last one.
    #[inline]
    pub(crate) fn begin_short_turn(&self) {
        // Whoever does not see it yet wakes the task once for nothing.
        self.attended.store(true, Ordering::Relaxed);
    }

    /// Whether anything but events is here.
    #[inline]
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// Ends a turn. Whether something was put in since the last [`take`](Self::take).
    pub(crate) fn end_turn(&self) -> bool {
        // Either this sees what was put in, or who puts it in sees that nobody looks: both orders are sequentially
        // consistent.
        self.attended.store(false, Ordering::SeqCst);
        self.filled.load(Ordering::SeqCst) || self.has_events.load(Ordering::SeqCst)
    }

    /// Takes everything out, if there is anything.
    pub(crate) fn take(&self) -> Option<Contents> {
        if !self.is_filled() {
            return None;
        }
        let mut contents = lock(&self.contents);
        self.filled.store(false, Ordering::Release);
        Some(mem::take(&mut *contents))
    }

    pub(crate) fn report(&self, report: Report) {
        self.put(|contents| contents.reports.push(report));
    }

    /// Puts commands back that were taken out and not obeyed.
    pub(crate) fn put_back(&self, commands: impl Iterator<Item = Command>) {
        self.put(|contents| {
            let later = mem::take(&mut contents.commands);
            contents.commands.extend(commands.chain(later));
        });
    }

    pub(crate) fn send(&self, command: Command) {
        self.put(|contents| contents.commands.push(command));
    }

    /// Leaves an event for the client, for which at most `most` bytes wait.
    pub(crate) fn put_event(&self, event: Queued, slow: SlowConsumer, most: usize) -> Put {
        let put = self.events.get_or_init(Box::default).put(event, slow, most);
        if matches!(put, Put::Dropped(_) | Put::Refused | Put::Gone) {
            return put;
        }
        // Mostly it was said already. What is read here is no older than the queue's lock: if the connection has taken what was there
        // before this event, it had said so first.
        if !self.has_events.load(Ordering::Relaxed)
            && !self.has_events.swap(true, Ordering::SeqCst)
            && !self.attended.load(Ordering::SeqCst)
        {
            self.wake();
        }
        put
    }

    /// Whether events have come since this was asked last.
    #[inline]
    pub(crate) fn take_has_events(&self) -> bool {
        self.has_events.load(Ordering::Relaxed) && self.has_events.swap(false, Ordering::SeqCst)
    }

    /// The events for the client, where there ever were any.
    pub(crate) fn events(&self) -> Option<&EventQueue> {
        self.events.get().map(|events| &**events)
    }

    fn put(&self, put: impl FnOnce(&mut Contents)) {
        let mut contents = lock(&self.contents);
        put(&mut contents);
        self.filled.store(true, Ordering::SeqCst);
        drop(contents);
        if !self.attended.load(Ordering::SeqCst) {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(task) = &*lock(&self.task) {
            task.wake_by_ref();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in here panics while the lock is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Wakes one parked call, not its siblings.
#[derive(Debug)]
pub(crate) struct CallWaker {
    session: Arc<Session>,
    slot: u32,
    /// The slot stands in the mailbox already.
    queued: AtomicBool,
}

impl CallWaker {
    pub(crate) fn new(session: Arc<Session>, slot: u32) -> Arc<Self> {
        Arc::new(Self {
            session,
            slot,
            queued: AtomicBool::new(false),
        })
    }

    /// The call is about to be polled: from now on it may be woken again.
    pub(crate) fn rearm(&self) {
        self.queued.store(false, Ordering::Release);
    }
}

impl Wake for CallWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.session
                .mailbox
                .put(|contents| contents.woken.push(self.slot));
        }
    }
}
