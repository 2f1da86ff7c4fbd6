//! Whether the server stops, for those who want to know before their calls are cancelled.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Says once, to all connections of a server, that it stops.
#[derive(Debug, Default)]
pub(crate) struct Stopping {
    begun: AtomicBool,
    told: Notify,
}

impl Stopping {
    /// The server stops from now on.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    /// Whether it does.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Ready when it does.
    pub(crate) async fn begun(&self) {
        loop {
            let told = self.told.notified();
            tokio::pin!(told);
            // Before the look, so that nothing is missed between the two.
            told.as_mut().enable();
            if self.has_begun() {
                return;
            }
            told.await;
        }
    }
}
