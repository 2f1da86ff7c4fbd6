//! A call that was sent and has no outcome yet.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use super::{Link, Outcome, cell::Cell};

/// A call whose request was sent. Dropped before its outcome is there, it is cancelled: the server is told.
pub(in crate::client) struct InFlight {
    link: Arc<Link>,
    stream_id: u64,
    cell: Arc<Cell>,
    taken: bool,
}

impl InFlight {
    pub(super) fn new(link: Arc<Link>, stream_id: u64, cell: Arc<Cell>) -> Self {
        Self {
            link,
            stream_id,
            cell,
            taken: false,
        }
    }

    /// Lets the call go on without anybody who waits for its outcome here.
    pub(in crate::client) fn forget(mut self) {
        self.taken = true;
    }

    pub(in crate::client) async fn outcome(mut self) -> Outcome {
        poll_fn(|cx| self.poll_outcome(cx)).await
    }

    pub(in crate::client) fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = self.cell.poll(cx);
        self.taken |= outcome.is_ready();
        outcome
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        // The common end, which takes no lock.
        if self.taken {
            return;
        }
        self.link.drop_call(self.stream_id);
    }
}
