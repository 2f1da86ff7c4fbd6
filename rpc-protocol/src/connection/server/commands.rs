//! What the runtime asks of the server's end beside sending: reading, announcements, timers.

use std::time::{Duration, Instant};

use super::ServerConnection;
use super::receiving::send_reset;
use super::stream::StreamState;
use crate::connection::ConnectionError;
use crate::connection::liveness::Liveness;
use crate::connection::receipts::Receipts;
use crate::frame::{End, GoAway, Greeting};
use crate::limits::PeerLimits;
use crate::{Code, Limits, Output};

impl ServerConnection {
    /// Registers the request in hand as running, because it is not answered at once. The next message would do the
    /// same; a stream that is not in hand is left alone.
    pub fn park(&mut self, stream_id: u64) {
        if self.in_hand.is_some_and(|in_hand| in_hand.stream_id == stream_id) {
            self.park_in_hand();
        }
    }

    /// The handler of a call that was cancelled, ended early or one-way has ended: its slot is free. A call that owes
    /// an answer is ended by [`respond`](Self::respond) or [`end`](Self::end) instead.
    pub fn finished(&mut self, stream_id: u64) {
        self.close(stream_id);
    }

    /// The application has taken messages of a call that count for so many bytes together, by their
    /// [`cost`](crate::StreamMessage::cost): the client may send as much again. What was given and is not yet consumed stops a
    /// client at its windows, so that everything that was taken or dropped is to be told. Ignored for a call that is over.
    pub fn consumed(&mut self, stream_id: u64, cost: usize, out: &mut impl Output) {
        if let Some(StreamState::Flowing(flowing)) = self.streams.get_mut(stream_id) {
            flowing.inbound.consumed(stream_id, cost, &mut self.flow, out);
        }
    }

    /// The application reads no more of what the client sends, but the call goes on: the client is told to stop, and what
    /// still comes is ignored. Nothing is to be told as consumed any more. Does nothing where the client has half-closed.
    pub fn stop_reading(&mut self, stream_id: u64, out: &mut impl Output) {
        if self.in_hand.is_some_and(|in_hand| in_hand.stream_id == stream_id) {
            self.park_in_hand();
        }
        if let Some(StreamState::Flowing(flowing)) = self.streams.get_mut(stream_id) {
            let tell = flowing.inbound.is_receiving();
            flowing.inbound.ignore(&mut self.flow);
            self.flow.widen(out);
            if tell {
                send_reset(stream_id, Code::Cancelled, out);
            }
        }
    }

    /// Sends the greeting. Limits, compressions and heartbeat are filled in where the caller left them empty. Windows grow
    /// to what it announces.
    pub fn greet(&mut self, mut greeting: Greeting, out: &mut impl Output) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        greeting.limits.get_or_insert_with(|| self.limits.announced());
        if greeting.compressions.is_empty() {
            greeting.compressions.extend_from_slice(self.limits.compressions);
        }
        let grown = self.flow.announce(&PeerLimits::of(&greeting));
        if grown > 0 {
            self.park_in_hand();
            for (_, state) in self.streams.iter_mut() {
                if let StreamState::Flowing(flowing) = state {
                    flowing.inbound.grow(grown);
                }
            }
        }
        if let Some(interval) = self.limits.keep_alive_interval
            && greeting.heartbeat_interval_us == 0
        {
            greeting.heartbeat_interval_us = micros(interval);
            greeting.heartbeat_timeout_us = micros(self.limits.keep_alive_timeout);
        }
        greeting.encode(0, out);
    }

    /// Counts what the client sends of its calls from now on, and tells it so, because its streams are to go on over a resume: both
    /// sides have said so in their greetings. The client keeps up to `replay_bytes`, as its greeting says, that it was not told
    /// of. To be said when that greeting has come.
    pub fn count_received(&mut self, replay_bytes: usize) {
        self.receipts = Some(Box::new(Receipts::new(replay_bytes, 0)));
    }

    /// Whether what the client sends of its calls is [counted](Self::count_received).
    #[must_use]
    pub fn counts_received(&self) -> bool {
        self.receipts.is_some()
    }

    /// How many sequenced frames of the client have come in the session; 0 where they are not
    /// [counted](Self::count_received).
    #[must_use]
    pub fn received_frames(&self) -> u64 {
        self.receipts.as_ref().map_or(0, |receipts| receipts.received())
    }

    /// The connection was lost, and goes on over another socket, on which the client has greeted with what it has received: it
    /// is told what came from it by the greeting that is sent now. Calls, windows and queues stay as they were; what was
    /// written before is for [`Replay`](crate::Replay) to send again.
    pub fn resume(&mut self, now: Instant) {
        self.park_in_hand();
        self.liveness = Liveness::new(now);
        self.greeted = true;
        if let Some(receipts) = &mut self.receipts {
            receipts.are_told();
        }
    }

    /// Announces a drain: from now on new calls are answered UNAVAILABLE, running ones may finish. The last stream id
    /// is filled in. A second call sends the frame again.
    pub fn go_away(&mut self, mut go_away: GoAway, out: &mut impl Output) {
        self.draining = true;
        go_away.last_stream_id = self.last_stream_id;
        go_away.encode(0, out);
    }

    /// Ends every call that is not over, because the connection is about to be closed: like
    /// [`end_running`](Self::end_running), also those whose answer waits for a window, or whose request is not whole.
    pub fn end_all(&mut self, end: &End, out: &mut impl Output) {
        self.park_in_hand();
        let open: Vec<u64> = self.streams.ids().collect();
        for stream_id in open {
            // What is over the peer's limit has been cut to its code.
            let _ = self.end_running(stream_id, end, out);
        }
    }

    /// Counts a fault of the peer's own making: a body that does not decode, or an unknown method.
    ///
    /// # Errors
    ///
    /// There were more than [`Limits::max_faults`] in ten seconds: the connection is to be closed.
    pub fn fault(&mut self, now: Instant) -> Result<(), ConnectionError> {
        if self.faults.add(self.seconds.at(now)) > self.limits.max_faults {
            return Err(ConnectionError::TooManyFaults);
        }
        Ok(())
    }

    /// Everything that was written to the output so far has left: pings are answered again.
    pub fn handle_flushed(&mut self) {
        self.liveness.on_flushed();
    }

    /// Something arrived that is no message of ours, such as a WebSocket pong: the peer is there.
    pub fn handle_activity(&mut self, now: Instant) {
        self.liveness.on_message(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called. Messages only move it to later, so a timer that
    /// was armed for an earlier time may be left to fire and be armed anew.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let receipts = self.receipts.as_ref().and_then(|receipts| receipts.deadline());
        match (self.liveness.deadline(&self.limits), receipts) {
            (Some(liveness), Some(receipts)) => Some(liveness.min(receipts)),
            (liveness, receipts) => liveness.or(receipts),
        }
    }

    /// Does what is due: pings a silent peer. Does nothing when called too early.
    ///
    /// # Errors
    ///
    /// The peer did not answer, or the connection was of no use for too long: it is to be closed.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl Output) -> Result<(), ConnectionError> {
        if let Some(receipts) = &mut self.receipts {
            receipts.on_timeout(now, out);
        }
        let busy = self.open_streams() > 0;
        self.liveness.on_timeout(now, busy, &self.limits, out)
    }

    /// Asks the client for a pong, so that [`round_trip_time`](Self::round_trip_time) is of now. Says whether a ping was
    /// written: none is while the answer to one is awaited, nor within two seconds of the last, because a peer counts pings.
    pub fn ping(&mut self, now: Instant, out: &mut impl Output) -> bool {
        self.liveness.ping(now, &self.limits, out)
    }

    /// Whether a ping was sent whose answer will tell the [`round_trip_time`](Self::round_trip_time).
    #[must_use]
    pub fn awaits_pong(&self) -> bool {
        self.liveness.awaits_pong()
    }

    /// How long the last ping that was answered took for the way there and back, and in the peer: on demand, or to keep the
    /// connection alive. `None` before the first was.
    #[must_use]
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.liveness.round_trip_time()
    }

    /// The limits that this side keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the client accepts.
    #[must_use]
    pub fn peer_limits(&self) -> PeerLimits {
        self.peer
    }

    /// Calls that have not ended: in hand, with a request that is not whole, running, cancelled with their handlers still
    /// at work, or with an answer that has not left.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len() + usize::from(self.in_hand.is_some())
    }

    /// Whether a go-away was sent.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// How many calls were refused without asking the application, in all: those over a limit, and those that came while
    /// [draining](Self::is_draining).
    #[must_use]
    pub fn refused_calls(&self) -> (u64, u64) {
        self.refusals
    }
}
