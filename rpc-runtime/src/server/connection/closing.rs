//! The end of a connection: from our decision to close, or the peer's, until the socket may be dropped.

use std::{
    io,
    pin::Pin,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use rpc_protocol::CloseCode;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Connection, Phase, reading::Read};
use crate::SessionError;
use crate::transport::websocket::{Incoming, Stop};

/// How long a draining connection without calls stays open after its go-away, so that requests which were on their
/// way are answered UNAVAILABLE and not lost.
const DRAIN_LINGER: Duration = Duration::from_millis(200);

/// One turn of closing reads at most so often; a peer that goes on sending does not hold a worker.
const DISCARDS: usize = 16;

/// What is left to be done.
pub(super) struct Closing {
    /// When the socket is dropped, whatever the peer does. Set by the first turn of closing.
    until: Option<Instant>,
    /// The peer has closed as well, or cannot be understood any more: nothing it sends is looked at.
    deaf: bool,
    /// The peer's part is over.
    peer_done: bool,
    shut_down: bool,
}

impl Closing {
    /// Nothing is left to be done.
    pub(super) fn over() -> Self {
        Self {
            until: None,
            deaf: true,
            peer_done: true,
            shut_down: true,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Closes with a code; what the peer still sends is read until its answer comes.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) {
        self.begin_closing(code, reason, false);
    }

    /// Closes with a code after the peer sent what leaves no boundary to go on from.
    pub(super) fn close_deaf(&mut self, code: CloseCode, reason: &str) {
        tracing::warn!(client = %self.session.id(), %code, "closing: {reason:.120}");
        self.tell_hooks(&SessionError::WebSocket { code, reason });
        self.begin_closing(code, reason, true);
    }

    fn begin_closing(&mut self, code: CloseCode, reason: &str, deaf: bool) {
        if let Phase::Closing(_) = self.phase {
            return;
        }
        let code = self.socket.close(code, reason);
        self.go_into_closing(code, reason, deaf, false);
    }

    /// The peer has closed; tungstenite's answer is in the output.
    pub(super) fn closed_by_peer(&mut self, frame: Option<(u16, String)>) {
        // RFC 6455, section 7.1.5: 1005 stands for a close frame without a code.
        let (code, reason) = frame.unwrap_or((1005, String::new()));
        self.go_into_closing(CloseCode::from_u16(code), &reason, true, true);
    }

    fn go_into_closing(&mut self, code: CloseCode, reason: &str, deaf: bool, peer_done: bool) {
        self.leave_gate();
        self.let_go_of_calls();
        self.ends_with(code, reason);
        self.meter_close(code, peer_done);
        self.phase = Phase::Closing(Closing {
            until: None,
            deaf,
            peer_done,
            shut_down: false,
        });
        self.settle_state();
    }

    /// The socket has ended, or failed.
    pub(super) fn broken(&mut self, error: Option<&io::Error>) -> Read {
        if let Some(error) = error {
            self.tell_hooks(&SessionError::Socket(error));
        }
        let reason = error.map(io::Error::to_string);
        self.ends_with(CloseCode::Abnormal, reason.as_deref().unwrap_or_default());
        Read::Ended
    }

    /// Ends a drain once no call is left and none can be on its way.
    pub(super) fn finish_drain(&mut self, since: Instant, now: Instant) {
        if self.is_done() && now >= since + DRAIN_LINGER {
            self.close(CloseCode::Restart, "the server is stopping");
        }
    }

    /// Whether no call is left, nor an answer that waits for the client's window.
    fn is_done(&self) -> bool {
        self.calls.is_empty() && self.protocol.open_streams() == 0
    }

    /// When a drain may end for want of calls.
    pub(super) fn drain_due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Draining(since) if self.is_done() => Some(since + DRAIN_LINGER),
            _ => None,
        }
    }

    /// Sends what is left, and waits for the peer. Ready when the socket may be dropped.
    pub(super) fn poll_closing(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Phase::Closing(closing) = &mut self.phase else {
            return Poll::Ready(());
        };
        let until = *closing
            .until
            .get_or_insert(now + self.endpoint.limits.close_timeout);
        let before = self.socket.io.output.pending();
        let flushed = self.socket.io.poll_flush(cx);
        let taken = before - self.socket.io.output.pending();
        if !self.handed_over {
            self.session.counters.sent(taken);
        }
        let flushed = match flushed {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            Poll::Pending => false,
        };
        if flushed && closing.deaf && !closing.shut_down {
            // Nothing follows the close frame. The socket itself stays until the peer has read that: dropping it
            // with unread bytes in it would reset the connection and take the close frame with it.
            closing.shut_down = Pin::new(&mut self.socket.io.stream).poll_shutdown(cx).is_ready();
        }
        for _ in 0..DISCARDS {
            if closing.deaf {
                let unread = self.socket.io.unread().len();
                self.socket.io.consume(unread);
            } else {
                match self.socket.read() {
                    Ok(Incoming::Close(_)) => closing.peer_done = true,
                    Ok(_) => continue,
                    Err(Stop::NeedsMore) => {}
                    Err(_) => closing.peer_done = true,
                }
            }
            if closing.peer_done && flushed || now >= until {
                let _ = Pin::new(&mut self.socket.io.stream).poll_shutdown(cx);
                return Poll::Ready(());
            }
            if closing.peer_done {
                // Only the flush is waited for, whose waker is registered.
                return self.wait_until(until, cx);
            }
            match self.socket.poll_fill(cx) {
                Poll::Ready(Ok(0) | Err(_)) => closing.peer_done = true,
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => return self.wait_until(until, cx),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn wait_until(&mut self, until: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        if self.timers.arm(until, Instant::now(), cx) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
