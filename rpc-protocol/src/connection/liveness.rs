//! Whether the peer is still there, and whether it asks that too often.

use std::time::Instant;

use super::ConnectionError;
use super::counter::Counter;
use crate::frame::{Ping, Pong};
use crate::{Limits, Output};

/// Sends a ping after a time of silence, and gives the peer up when that is not answered; answers the peer's pings.
///
/// ```text
///   Listening ── silent for `keep_alive_interval`: ping ──▶ Waiting ── `keep_alive_timeout` ──▶ gone
///       ▲                                                     │
///       └───────────────────── any message ───────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Liveness {
    last_message: Instant,
    /// When the ping that waits for an answer was sent.
    ping_sent: Option<Instant>,
    pings: Counter,
    /// A pong was written and not flushed yet: no further one is written, so that a peer which pings and does not
    /// read cannot fill the output.
    pong_pending: bool,
}

impl Liveness {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            last_message: now,
            ping_sent: None,
            pings: Counter::default(),
            pong_pending: false,
        }
    }

    #[inline]
    pub(crate) fn on_message(&mut self, now: Instant) {
        self.last_message = now;
        self.ping_sent = None;
    }

    pub(crate) fn on_ping(
        &mut self,
        ping: &Ping,
        second: u64,
        limits: &Limits,
        out: &mut impl Output,
    ) -> Result<(), ConnectionError> {
        if self.pings.add(second) > limits.max_pings {
            return Err(ConnectionError::TooManyPings);
        }
        if !self.pong_pending {
            self.pong_pending = true;
            Pong {
                payload: ping.payload,
            }
            .encode(0, out);
        }
        Ok(())
    }

    pub(crate) fn on_flushed(&mut self) {
        self.pong_pending = false;
    }

    /// `None` where the peer may be silent for ever.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let interval = limits.keep_alive_interval?;
        match self.ping_sent {
            Some(sent) => sent.checked_add(limits.keep_alive_timeout),
            None => self.last_message.checked_add(interval),
        }
    }

    /// `second` gives the ping its payload, which the peer sends back and nobody reads.
    pub(crate) fn on_timeout(
        &mut self,
        now: Instant,
        second: u64,
        limits: &Limits,
        out: &mut impl Output,
    ) -> Result<(), ConnectionError> {
        if self.deadline(limits).is_none_or(|deadline| now < deadline) {
            return Ok(());
        }
        if self.ping_sent.is_some() {
            return Err(ConnectionError::PeerSilent);
        }
        self.ping_sent = Some(now);
        Ping { payload: second }.encode(0, out);
        Ok(())
    }
}
