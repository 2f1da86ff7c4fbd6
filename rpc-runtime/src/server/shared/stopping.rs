//! How a server stops: its clients are told, calls finish within the grace, and what is left is closed.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::time::Instant;

use super::Shared;
use crate::session::mailbox::Command;

/// When a server stops, each connection waits this much longer than the one before it, so that not all clients come
/// back at the same moment; and no connection waits longer than this in all.
const SPREAD_EACH: Duration = Duration::from_micros(200);
const SPREAD_MOST: Duration = Duration::from_secs(2);

/// So long HTTP connections may go on with their answers when everything else is over.
const HTTP_LINGER: Duration = Duration::from_secs(1);

impl Shared {
    /// Stops: tells every client, waits for running calls up to the grace, then closes what is left. Returns when no
    /// connection is left, or shortly after the grace whatever happens.
    pub(crate) async fn drain(self: &Arc<Self>) {
        self.afterwards.stopping.begin();
        let grace = Instant::now() + self.limits.drain_grace;
        let told = async {
            self.tell_all(|| Command::Drain).await;
            self.wait_until_empty().await;
        };
        if tokio::time::timeout_at(grace, told).await.is_ok() {
            return;
        }
        tracing::warn!(
            connections = self.connections(),
            "the grace is over: cancelling the calls still running"
        );
        let closed = async {
            self.tell_all(|| Command::Stop).await;
            self.wait_until_empty().await;
        };
        let _ = tokio::time::timeout(SPREAD_MOST + self.routes.main().limits.close_timeout, closed).await;
    }

    /// Ends connections of HTTP: those that wait at once, the others with their answers, for which they have a short time.
    pub(crate) async fn end_http(&self) {
        self.http_ending.send_replace(());
        let _ = tokio::time::timeout(HTTP_LINGER, self.http_ending.closed()).await;
    }

    /// Sends a command to every session, spread over a time that grows with their number.
    async fn tell_all(&self, command: impl Fn() -> Command) {
        let sessions: Vec<_> = self.sessions().collect();
        let spread = (SPREAD_EACH * u32::try_from(sessions.len()).unwrap_or(u32::MAX)).min(SPREAD_MOST);
        let began = Instant::now();
        let total = sessions.len().max(1);
        for (index, session) in sessions.into_iter().enumerate() {
            session.mailbox.send(command());
            drop(session);
            // tokio's timer counts milliseconds: a pause per session would be far too long.
            if index % 64 == 63 {
                tokio::time::sleep_until(began + spread.mul_f64(index as f64 / total as f64)).await;
            }
        }
    }

    async fn wait_until_empty(&self) {
        loop {
            let notified = self.empty.notified();
            if self.admitted.load(Ordering::Acquire) == 0 {
                break;
            }
            notified.await;
        }
        self.afterwards.none_left().await;
    }
}
