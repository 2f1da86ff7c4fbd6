//! Whether the peer is still there, whether it asks that too often, and whether it still wants anything.

use std::time::{Duration, Instant};

use super::ConnectionError;
use super::counter::Counter;
use crate::frame::{Ping, Pong};
use crate::{Limits, Output};

/// No ping is sent on demand so soon after another: with those that keep the connection alive they stay below the
/// [`Limits::max_pings`] that a peer has by default.
const PING_SPACING: Duration = Duration::from_secs(2);

/// Sends a ping after a time of silence, and gives the peer up when that is not answered; answers the peer's pings; and
/// tells a connection that nobody uses.
///
/// ```text
///   Listening ── silent for `keep_alive_interval`: ping ──▶ Waiting ── `keep_alive_timeout` ──▶ gone
///       ▲                                                     │
///       └───────────────────── any message ───────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Liveness {
    last_message: Instant,
    /// When the connection was last known to be of use.
    last_use: Instant,
    /// A stream was closed since `last_use`, at a time that nobody told.
    used_since: bool,
    /// When the ping that waits for an answer was sent.
    ping_sent: Option<Instant>,
    pings: Counter,
    /// A pong was written and not flushed yet: no further one is written, so that a peer which pings and does not
    /// read cannot fill the output.
    pong_pending: bool,
    /// The payload of the last ping, which counts them.
    last_payload: u64,
    /// The ping whose pong tells the round-trip time: the earliest that was not answered, since a pong that answers several
    /// carries the payload of the earliest.
    measured: Option<Measured>,
    round_trip_time: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    payload: u64,
    sent: Instant,
    answered: bool,
}

impl Liveness {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            last_message: now,
            last_use: now,
            used_since: false,
            ping_sent: None,
            pings: Counter::default(),
            pong_pending: false,
            last_payload: 0,
            measured: None,
            round_trip_time: None,
        }
    }

    #[inline]
    pub(crate) fn on_message(&mut self, now: Instant) {
        self.last_message = now;
        self.ping_sent = None;
    }

    /// A message came that is no ping or pong.
    #[inline]
    pub(crate) fn on_use(&mut self, now: Instant) {
        self.last_use = now;
    }

    /// A stream was closed.
    #[inline]
    pub(crate) fn on_close(&mut self) {
        self.used_since = true;
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

    pub(crate) fn on_pong(&mut self, pong: &Pong, now: Instant) {
        if let Some(measured) = &mut self.measured
            && !measured.answered
            && measured.payload == pong.payload
        {
            measured.answered = true;
            self.round_trip_time = Some(now.saturating_duration_since(measured.sent));
        }
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    /// Whether a ping was sent that tells the round-trip time once it is answered.
    pub(crate) fn awaits_pong(&self) -> bool {
        self.measured.is_some_and(|measured| !measured.answered)
    }

    /// Sends a ping on demand, unless one is under way or the last is too young.
    pub(crate) fn ping(&mut self, now: Instant, limits: &Limits, out: &mut impl Output) -> bool {
        let spacing = match self.measured {
            None => Duration::ZERO,
            Some(Measured { answered: true, .. }) => PING_SPACING,
            // A peer that does not answer as it should is asked again, but not for ever more often.
            Some(_) => PING_SPACING.max(limits.keep_alive_timeout),
        };
        let sent = self.measured.map(|measured| measured.sent);
        if sent.is_some_and(|sent| now.saturating_duration_since(sent) < spacing) {
            return false;
        }
        self.measured = None;
        self.send_ping(now, out);
        true
    }

    fn send_ping(&mut self, now: Instant, out: &mut impl Output) {
        self.last_payload += 1;
        let payload = self.last_payload;
        if self.measured.is_none_or(|measured| measured.answered) {
            self.measured = Some(Measured {
                payload,
                sent: now,
                answered: false,
            });
        }
        Ping { payload }.encode(0, out);
    }

    pub(crate) fn on_flushed(&mut self) {
        self.pong_pending = false;
    }

    /// When something is due: `None` where the peer may be silent and idle for ever.
    pub(crate) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        match (self.silence_deadline(limits), self.idle_deadline(limits)) {
            (Some(silence), Some(idle)) => Some(silence.min(idle)),
            (silence, idle) => silence.or(idle),
        }
    }

    fn silence_deadline(&self, limits: &Limits) -> Option<Instant> {
        let interval = limits.keep_alive_interval?;
        match self.ping_sent {
            Some(sent) => sent.checked_add(limits.keep_alive_timeout),
            None => self.last_message.checked_add(interval),
        }
    }

    fn idle_deadline(&self, limits: &Limits) -> Option<Instant> {
        self.last_use.checked_add(limits.idle_timeout?)
    }

    /// `busy`: streams are open.
    pub(crate) fn on_timeout(
        &mut self,
        now: Instant,
        busy: bool,
        limits: &Limits,
        out: &mut impl Output,
    ) -> Result<(), ConnectionError> {
        if self.idle_deadline(limits).is_some_and(|deadline| now >= deadline) {
            // Streams close without telling the time, so that an idle time may begin anew here that began earlier.
            if !busy && !self.used_since {
                return Err(ConnectionError::Idle);
            }
            self.used_since = false;
            self.last_use = now;
        }
        if self
            .silence_deadline(limits)
            .is_none_or(|deadline| now < deadline)
        {
            return Ok(());
        }
        if self.ping_sent.is_some() {
            return Err(ConnectionError::PeerSilent);
        }
        self.ping_sent = Some(now);
        self.send_ping(now, out);
        Ok(())
    }
}
