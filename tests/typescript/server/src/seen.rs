//! What a case may see of the calls that run, and the gate at which some of them wait.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::Status;
use serde::Serialize;
use tokio::sync::watch;

/// What was counted since the world was made; it outlives restarts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// Calls that were begun.
    pub(crate) begun: u64,
    /// Calls that ran to their own end.
    pub(crate) finished: u64,
    /// Calls that were dropped before that.
    pub(crate) dropped: u64,
    /// Messages that handlers gave to streams.
    pub(crate) given: u64,
    /// Messages that handlers read of streams.
    pub(crate) read: u64,
}

/// Counts, and the gate.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    counts: Arc<watch::Sender<Counts>>,
    open: Arc<watch::Sender<bool>>,
}

/// A call that runs. Dropped without [`finish`](Self::finish), it counts as dropped.
#[derive(Debug)]
pub(crate) struct Running {
    seen: Seen,
    finished: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            counts: Arc::new(watch::Sender::new(Counts::default())),
            open: Arc::new(watch::Sender::new(false)),
        }
    }
}

impl Seen {
    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Opens or shuts the gate.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// Returns once the gate is open.
    pub(crate) async fn passed_gate(&self) {
        let mut open = self.open.subscribe();
        let waited = open.wait_for(|open| *open).await;
        drop(waited);
    }

    pub(crate) fn begin(&self) -> Running {
        self.counts.send_modify(|counts| counts.begun += 1);
        Running {
            seen: self.clone(),
            finished: false,
        }
    }

    pub(crate) fn gave(&self) {
        self.counts.send_modify(|counts| counts.given += 1);
    }

    pub(crate) fn read(&self) {
        self.counts.send_modify(|counts| counts.read += 1);
    }
}

impl Running {
    /// The call has run to its end.
    pub(crate) fn finish(mut self) {
        self.finished = true;
    }

    /// The same stream, counted: the call is finished once it has given its end or a failure.
    pub(crate) fn until_the_end<T>(
        self,
        items: impl Stream<Item = Result<T, Status>>,
    ) -> impl Stream<Item = Result<T, Status>> {
        stream::unfold((Box::pin(items), self), |(mut items, mut running)| async {
            let item = items.next().await;
            if matches!(item, Some(Ok(_))) {
                running.seen.gave();
            } else {
                running.finished = true;
            }
            Some((item?, (items, running)))
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.seen.counts.send_modify(|counts| match self.finished {
            true => counts.finished += 1,
            false => counts.dropped += 1,
        });
    }
}
