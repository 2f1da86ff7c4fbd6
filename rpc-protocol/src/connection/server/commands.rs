//! What the runtime asks of the server's end: answers, announcements, timers.

use std::time::{Duration, Instant};

use super::{ServerConnection, StreamState};
use crate::connection::{ConnectionError, TooLarge};
use crate::frame::{End, GoAway, Greeting, Response, Status};
use crate::limits::PeerLimits;
use crate::{Body, Code, Limits, Output};

impl ServerConnection {
    /// Registers the request in hand as running, because it is not answered at once. The next message would do the
    /// same; a stream that is not in hand is left alone.
    pub fn park(&mut self, stream_id: u64) {
        if self.in_hand.is_some_and(|in_hand| in_hand.stream_id == stream_id) {
            self.park_in_hand();
        }
    }

    /// Ends a call with a response: `response` without its body, which is given apart. Sends nothing where the call
    /// is one-way or was cancelled. The handler has ended; its slot is free.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the response is over the peer's limit, and RESOURCE_EXHAUSTED was sent instead.
    #[inline]
    pub fn respond(
        &mut self,
        stream_id: u64,
        response: &Response,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<(), TooLarge> {
        debug_assert!(!response.open && !response.more, "a unary response is one frame");
        if !self.close(stream_id) {
            return Ok(());
        }
        let len = response.frame_len(stream_id, body.encoded_len());
        if len.total > self.peer.max_message_bytes {
            return Err(self.end_too_large(stream_id, len.total, out));
        }
        response.encode_measured(stream_id, body, len, out);
        Ok(())
    }

    /// Ends a call with a status. Sends nothing where the call is one-way or was cancelled. The handler has ended; its
    /// slot is free.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the status is over the peer's limit, and was sent without message, details and trailers.
    pub fn end(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        if self.close(stream_id) {
            self.send_end(stream_id, end, out)
        } else {
            Ok(())
        }
    }

    /// Ends a call with a status while its handler still runs: for a deadline or a drain that cannot drop the handler
    /// at once. Keeps the slot until [`finished`](Self::finished).
    ///
    /// # Errors
    ///
    /// Like [`end`](Self::end).
    pub fn end_running(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        match self.silence(stream_id) {
            Some(false) => self.send_end(stream_id, end, out),
            Some(true) | None => Ok(()),
        }
    }

    /// The handler of a call that was cancelled, ended early or one-way has ended: its slot is free. A call that owes
    /// an answer is ended by [`respond`](Self::respond) or [`end`](Self::end) instead.
    pub fn finished(&mut self, stream_id: u64) {
        self.close(stream_id);
    }

    /// Sends the greeting. Limits and heartbeat are filled in where the caller left them empty.
    pub fn greet(&mut self, mut greeting: Greeting, out: &mut impl Output) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        greeting.limits.get_or_insert_with(|| self.limits.announced());
        if let Some(interval) = self.limits.keep_alive_interval
            && greeting.heartbeat_interval_us == 0
        {
            greeting.heartbeat_interval_us = micros(interval);
            greeting.heartbeat_timeout_us = micros(self.limits.keep_alive_timeout);
        }
        greeting.encode(0, out);
    }

    /// Announces a drain: from now on new calls are answered UNAVAILABLE, running ones may finish. The last stream id
    /// is filled in. A second call sends the frame again.
    pub fn go_away(&mut self, mut go_away: GoAway, out: &mut impl Output) {
        self.draining = true;
        go_away.last_stream_id = self.last_stream_id;
        go_away.encode(0, out);
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
        self.liveness.deadline(&self.limits)
    }

    /// Does what is due: pings a silent peer. Does nothing when called too early.
    ///
    /// # Errors
    ///
    /// The peer did not answer: the connection is to be closed.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl Output) -> Result<(), ConnectionError> {
        self.liveness
            .on_timeout(now, self.seconds.at(now), &self.limits, out)
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

    /// Calls that have not ended: in hand, running or cancelled with their handlers still at work.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len() + usize::from(self.in_hand.is_some())
    }

    /// Whether a go-away was sent.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Ends a stream; tells whether an answer may be sent for it.
    #[inline]
    fn close(&mut self, stream_id: u64) -> bool {
        if let Some(in_hand) = self.in_hand
            && in_hand.stream_id == stream_id
        {
            self.in_hand = None;
            return !in_hand.one_way;
        }
        matches!(
            self.streams.remove(stream_id),
            Some(StreamState::Running { one_way: false })
        )
    }

    fn send_end(&self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        let len = end.message_len(stream_id);
        let limit = self.peer.max_message_bytes;
        if len <= limit {
            end.encode(stream_id, out);
            return Ok(());
        }
        let code = end.status.as_ref().map_or(Code::Ok, Status::code);
        End::new(code, "").encode(stream_id, out);
        Err(TooLarge { len, limit })
    }

    #[cold]
    fn end_too_large(&self, stream_id: u64, len: usize, out: &mut impl Output) -> TooLarge {
        let error = TooLarge {
            len,
            limit: self.peer.max_message_bytes,
        };
        End::new(Code::ResourceExhausted, "the response is over the client's limit").encode(stream_id, out);
        error
    }
}
