//! What goes on when its call, or its connection, is over: clean-up, and session methods within their grace. A server
//! that stops waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

use super::{Session, stopping::Stopping};

/// Clean-up of one connection's calls may go on in so many places for each stream that it may have open: no new call is
/// begun beyond that.
pub(crate) const CLEAN_UPS_PER_STREAM: usize = 10;

/// Counts what goes on, over all connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Afterwards {
    /// After which all of it has to end.
    pub(crate) stopping: Stopping,
    running: AtomicUsize,
    none_left: Notify,
}

impl Afterwards {
    /// One more goes on, for as long as what is returned lives.
    pub(crate) fn begin(self: &Arc<Self>) -> Place {
        self.running.fetch_add(1, Ordering::AcqRel);
        Place(self.clone())
    }

    /// How much goes on.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// Ready when nothing goes on.
    pub(crate) async fn none_left(&self) {
        loop {
            let none_left = self.none_left.notified();
            if self.running.load(Ordering::Acquire) == 0 {
                return;
            }
            none_left.await;
        }
    }
}

/// Something that goes on.
#[derive(Debug)]
pub(crate) struct Place(Arc<Afterwards>);

impl Drop for Place {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_waiters();
        }
    }
}

/// Clean-up of a call, which goes on.
#[derive(Debug)]
pub(crate) struct CleanUp {
    session: Arc<Session>,
    _place: Place,
}

impl CleanUp {
    /// One more goes on, for as long as what is returned lives.
    pub(crate) fn begin(session: &Arc<Session>) -> Self {
        session.clean_ups.fetch_add(1, Ordering::Relaxed);
        Self {
            _place: session.afterwards().begin(),
            session: session.clone(),
        }
    }
}

impl Drop for CleanUp {
    fn drop(&mut self) {
        self.session.clean_ups.fetch_sub(1, Ordering::Relaxed);
    }
}
