//! Where the task of a connection leaves what came of a call, and the call finds it.

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use rpc_protocol::frame::Response;

use crate::{Status, client::error::Closed};

/// What a call came to. Of a call that streams, what its opening came to.
pub(in crate::client) type Outcome = Result<Response, Failure>;

/// Why a call has no response from this connection.
#[derive(Debug, Clone)]
pub(in crate::client) enum Failure {
    /// The server, or a check on this side, ended it.
    Status(Status),
    /// The server stops, and has ended it as unavailable: it may have run, and another server may run it.
    Stopped(Status),
    /// The connection ended before.
    Closed(Closed),
    /// The server goes away and has not run it, and will not.
    NotRun,
    /// The call's time is over.
    TimedOut,
}

impl Failure {
    /// The same as a status, as streams give it.
    pub(in crate::client) fn into_status(self) -> Status {
        match self {
            Self::Status(status) | Self::Stopped(status) => status,
            Self::Closed(closed) => Status::unavailable(closed.to_string()).with_cause(closed),
            Self::NotRun => Status::unavailable("the server goes away, and has not run the call"),
            Self::TimedOut => Status::deadline_exceeded("the call's time is over"),
        }
    }
}

/// The outcome of one call, once it is there.
#[derive(Debug, Default)]
pub(in crate::client) struct Cell(Mutex<Slot>);

#[derive(Debug)]
enum Slot {
    Waiting(Option<Waker>),
    Done(Outcome),
    Taken,
}

impl Default for Slot {
    fn default() -> Self {
        Self::Waiting(None)
    }
}

impl Cell {
    /// Leaves the outcome; a second one is ignored. Who waits for it is to be woken, without the connection's lock.
    pub(super) fn complete(&self, outcome: Outcome) -> Option<Waker> {
        let mut slot = self.lock();
        match &mut *slot {
            Slot::Waiting(waker) => {
                let waker = waker.take();
                *slot = Slot::Done(outcome);
                waker
            }
            Slot::Done(_) | Slot::Taken => None,
        }
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Outcome> {
        let mut slot = self.lock();
        match &mut *slot {
            Slot::Waiting(Some(waker)) => waker.clone_from(cx.waker()),
            Slot::Waiting(waker) => *waker = Some(cx.waker().clone()),
            Slot::Done(_) | Slot::Taken => {
                if let Slot::Done(outcome) = mem::replace(&mut *slot, Slot::Taken) {
                    return Poll::Ready(outcome);
                }
            }
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many cells are kept for calls to come.
const MOST_SPARE: usize = 128;

/// Cells of calls that are over, to be used again: a call then costs no allocation for its outcome.
#[derive(Debug, Default)]
pub(super) struct SpareCells(VecDeque<Arc<Cell>>);

impl SpareCells {
    /// A cell that nobody else holds.
    pub(super) fn take(&mut self) -> Arc<Cell> {
        // The one at the front was given back first; its call has mostly taken the outcome since.
        if let Some(cell) = self.0.front_mut()
            && let Some(free) = Arc::get_mut(cell)
        {
            *free = Cell::default();
            if let Some(cell) = self.0.pop_front() {
                return cell;
            }
        }
        Arc::default()
    }

    /// Takes a cell back that the connection needs no more; its call may still hold it.
    pub(super) fn give(&mut self, cell: Arc<Cell>) {
        if self.0.len() == MOST_SPARE {
            self.0.pop_front();
        }
        self.0.push_back(cell);
    }
}
