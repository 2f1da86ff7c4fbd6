//! What goes on when its call, or its connection, is over: clean-up, and session methods within their grace. A server
//! that stops waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Notify;

/// Counts what goes on, over all connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Afterwards {
    running: AtomicUsize,
    none_left: Notify,
}

impl Afterwards {
    /// One more goes on, for as long as what is returned lives.
    pub(crate) fn begin(self: &Arc<Self>) -> Place {
        self.running.fetch_add(1, Ordering::AcqRel);
        Place(self.clone())
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
