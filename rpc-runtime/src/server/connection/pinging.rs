//! Measuring the round-trip time for those who ask.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::Connection;

/// Those who wait for the pong.
pub(super) type Waiting = Vec<oneshot::Sender<Duration>>;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends a ping for somebody, unless one is on its way. Where the last is too young, its time is told.
    pub(super) fn ping(&mut self, asks: oneshot::Sender<Duration>, now: Instant) {
        if self.gate.as_ref().is_some_and(|gate| gate.is_of_connect()) {
            // The greeting comes first, and whoever holds it back would wait for themselves.
            return;
        }
        let _ = self.protocol.ping(now.into_std(), &mut self.socket.io.output);
        match self.protocol.round_trip_time() {
            Some(time) if !self.protocol.awaits_pong() => {
                // Whoever does not wait any more need not know.
                let _ = asks.send(time);
            }
            _ => {
                let waiting = self.pinging.get_or_insert_default();
                waiting.retain(|asks| !asks.is_closed());
                waiting.push(asks);
            }
        }
    }

    /// Looks whether a pong has come.
    pub(super) fn measure(&mut self) {
        let Some(time) = self.protocol.round_trip_time() else {
            return;
        };
        self.session.counters.set_round_trip_time(time);
        if !self.protocol.awaits_pong()
            && let Some(waiting) = self.pinging.take()
        {
            for asks in *waiting {
                let _ = asks.send(time);
            }
        }
    }
}
