//! Reading: from the socket's bytes to what they ask of the connection, in turns that leave others theirs.

use std::task::{Context as TaskContext, Poll};

use bytes::Bytes;
use rpc_protocol::{CloseCode, ConnectionError, ServerEvent, frame::Greeting};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Connection, Phase};
use crate::{
    SessionError,
    streaming::Ending,
    transport::websocket::{Incoming, Stop},
};

/// The clock is looked at after this many messages of one turn.
const MESSAGES_PER_LOOK: usize = 16;

/// And after so many reads of a turn, whatever they brought.
const FILLS_PER_LOOK: u32 = 4;

/// A turn reads no more than this before calls go on. What waits for them is then still in the processor's cache, and what
/// was answered meanwhile leaves: a call waits for some fifty microseconds of a stream that the client sends, not for a
/// whole turn of it. It is as much as a stream's window, and more than a burst of small calls.
const READ_AHEAD: usize = 256 * 1024;

/// Output beyond this is handed to the socket in the middle of a turn: the peer can work on it meanwhile, and it is
/// still in the processor's cache. Far above what a batch of small calls comes to, which is flushed once.
const FLUSH_ABOVE: usize = 48 * 1024;

/// What a turn's reading came to.
pub(super) enum Read {
    /// The socket has no more.
    Dry,
    /// The gate is shut.
    Shut,
    /// There is more, and others have waited long enough.
    TurnIsOver,
    /// The peer does not take our output.
    Clogged,
    /// The socket ended, or failed.
    Ended,
    /// The connection is being closed.
    Closing,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Reads and handles what is there.
    pub(super) fn read(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Read {
        if self.is_shut() {
            return self.look_ahead(cx);
        }
        let (mut handled, mut fills, mut filled) = (0, 0_u32, 0);
        loop {
            if self.socket.io.output.pending() > FLUSH_ABOVE {
                if self.flush(now, cx).is_err() {
                    return Read::Ended;
                }
                if self.is_clogged() {
                    return Read::Clogged;
                }
            }
            self.meter_batch();
            // First what was read before, which a turn that was over may have left.
            match self.handle_messages(&mut handled, now, cx) {
                Read::Dry => {}
                Read::Clogged => continue,
                other => return other,
            }
            // What fills the read buffer and is no message, such as empty fragments, takes time as well.
            fills += 1;
            if filled >= READ_AHEAD
                || fills.is_multiple_of(FILLS_PER_LOOK) && now.elapsed() >= self.endpoint.limits.turn_time
            {
                return Read::TurnIsOver;
            }
            match self.socket.poll_fill(cx) {
                Poll::Ready(Ok(count)) => {
                    self.session.counters.received(count);
                    filled += count;
                }
                Poll::Ready(Err(error)) => return self.broken(Some(&error)),
                Poll::Pending => return Read::Dry,
            }
        }
    }

    /// Whether so much output waits that nothing more may be read.
    pub(super) fn is_clogged(&self) -> bool {
        self.socket.io.output.pending() > self.endpoint.limits.unflushed_bytes
    }

    /// Handles every whole message that was read.
    fn handle_messages(&mut self, handled: &mut usize, began: Instant, cx: &mut TaskContext<'_>) -> Read {
        loop {
            match self.socket.read() {
                Ok(incoming) => self.handle_incoming(incoming, began),
                Err(Stop::NeedsMore) => return Read::Dry,
                Err(Stop::Finished | Stop::Broken) => return self.broken(None),
                Err(Stop::Violation { code, reason }) => {
                    self.close_deaf(CloseCode::from_u16(code), &reason);
                }
            }
            if let Phase::Closing(_) = self.phase {
                return Read::Closing;
            }
            if self.is_shut() {
                return self.look_ahead(cx);
            }
            *handled += 1;
            if self.turn_is_over(*handled, began) {
                return Read::TurnIsOver;
            }
            if self.is_clogged() {
                return Read::Clogged;
            }
        }
    }

    fn turn_is_over(&self, handled: usize, began: Instant) -> bool {
        let look = self.look_at_clock.take() || handled.is_multiple_of(MESSAGES_PER_LOOK);
        let limits = &self.endpoint.limits;
        handled >= limits.turn_messages || look && began.elapsed() >= limits.turn_time
    }

    fn handle_incoming(&mut self, incoming: Incoming, now: Instant) {
        self.session.counters.message();
        // A control frame may stand between the fragments of a message, which it does not finish.
        if matches!(incoming, Incoming::Binary(_) | Incoming::Text(_)) {
            self.timers.whole_message();
        }
        #[cfg(feature = "__echo")]
        let Some(incoming) = self.echo(incoming) else {
            return;
        };
        match incoming {
            Incoming::Binary(message) => self.handle_message(message, now),
            Incoming::Text(_) => {
                let (code, reason) = (CloseCode::Unsupported, "text message: this protocol is binary");
                self.tell_hooks(&SessionError::WebSocket { code, reason });
                self.close(code, reason);
            }
            Incoming::Ping => {
                self.protocol.handle_activity(now.into_std());
                if !self.pings.allows(now, self.endpoint.protocol_limits.max_pings) {
                    self.close_for(&ConnectionError::TooManyPings);
                }
            }
            Incoming::Pong => self.protocol.handle_activity(now.into_std()),
            Incoming::Close(frame) => self.closed_by_peer(frame),
        }
    }

    /// The client has introduced itself.
    pub(super) fn is_greeted(&mut self, greeting: &Greeting) {
        let peer = self.protocol.peer_limits();
        let reads_deflate = peer.deflate;
        self.session.set_answer_bytes(peer.max_body_bytes);
        self.compress_above = self.endpoint.limits.compress_above.filter(|_| reads_deflate);
        self.count_calls(greeting);
    }

    fn handle_message(&mut self, message: Bytes, now: Instant) {
        if let Some(since) = self.gate.as_ref().and_then(|gate| gate.awaits_greeting()) {
            return self.handle_first(message, since, now);
        }
        match self
            .protocol
            .handle_message(message, now.into_std(), &mut self.socket.io.output)
        {
            Ok(ServerEvent::Request(request)) => self.handle_request(request, now),
            Ok(ServerEvent::Message { stream_id, message }) => {
                if let Some((input, followed)) = self.calls.input(stream_id) {
                    if let Some(followed) = followed {
                        followed.request(message.body.len());
                    }
                    let counted = message.cost();
                    input.receive(message.body, message.compression, counted, now);
                }
            }
            Ok(ServerEvent::HalfClosed { stream_id }) => {
                if let Some((input, _)) = self.calls.input(stream_id) {
                    input.finish(Ending::done());
                }
            }
            Ok(ServerEvent::Cancelled { stream_id, .. }) => self.cancel(stream_id),
            Ok(ServerEvent::Greeting(greeting)) => self.is_greeted(&greeting),
            Ok(ServerEvent::Acknowledged(acknowledgement)) => self.acknowledged(&acknowledgement),
            Ok(ServerEvent::Authenticate(authenticate)) => self.authenticate(authenticate, now),
            Ok(ServerEvent::AuthenticateRefused { request_id, status }) => {
                self.tell_identity(request_id, Some(status), now);
            }
            // A pong, perhaps.
            Ok(_) => self.measure(),
            Err(error) => self.close_for(&error),
        }
    }
}
