//! The driver of one connection on the server: it supplies bytes, time and wakers, and moves what comes back.
//!
//! It is one future, polled by one task. A turn of it is: everything that can be read (up to the turn's bounds), each
//! message through protocol, router and dispatch, then the calls that were woken, also by what was just read, and what
//! waits for being sent, then one flush.
//!
//! ```text
//!  Open (at first, and now and then, with a shut gate: see `gate`)
//!    │
//!  Open ── drain ──► Draining ── no call left ──┐
//!    │                   │                      ▼
//!    └── close, fault, violation, timer ──► Closing ── peer answered, or time is over ──► done
//! ```

mod calls;
mod closing;
#[cfg(feature = "__echo")]
mod echo;
mod gate;
mod going_on;
mod identity;
mod leaving;
mod log;
mod metering;
mod pinging;
mod timers;

use std::{
    cell::Cell,
    collections::VecDeque,
    future::Future,
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use rpc_protocol::{CloseCode, ConnectionError, ServerConnection, ServerEvent};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    ActiveEndpoint,
    shared::{Registration, Shared},
};
use crate::{
    SessionError, SessionState,
    auth::Identity,
    dispatch::parked::ParkedCalls,
    metrics::ConnectionMeter,
    session::Session,
    streaming::Ending,
    transport::{
        io::Io,
        lately::Lately,
        output::OutputBuffer,
        websocket::{Incoming, Stop, WebSocket},
    },
};
use closing::Closing;
use gate::Gate;
use going_on::Left;
use identity::Standing;
use leaving::Leaving;
use pinging::Waiting;
use timers::Timers;

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

/// One connection, from the end of its handshake to its end.
pub(crate) struct Connection<S> {
    socket: WebSocket<S>,
    protocol: ServerConnection,
    session: Arc<Session>,
    /// Who is known, the same as in the session.
    identity: Option<Identity>,
    standing: Option<Box<Standing>>,
    gate: Option<Box<Gate>>,
    endpoint: Arc<ActiveEndpoint>,
    shared: Arc<Shared>,
    calls: ParkedCalls,
    /// Slots of calls that were woken and not polled since, in the order of their turns.
    woken: VecDeque<u32>,
    /// Longer bodies are deflated; set once the client has said that it can read that, where this server does it.
    compress_above: Option<usize>,
    /// The turn has ended for the sake of others, and the next begins behind theirs.
    yields: bool,
    /// What was just done may have taken longer than a message does.
    look_at_clock: Cell<bool>,
    timers: Timers,
    pings: Lately,
    pinging: Option<Box<Waiting>>,
    /// What it counts, where its server counts.
    meter: Option<Box<ConnectionMeter>>,
    phase: Phase,
    leaving: Option<Box<Leaving>>,
    /// Takes the session off the server's list at the end.
    registration: Option<Registration>,
}

enum Phase {
    Open,
    /// Since when.
    Draining(Instant),
    Closing(Closing),
}

/// What a turn's reading came to.
enum Read {
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
    /// Begins a connection whose upgrade is over; `read_ahead` was read behind it already. The greeting is in its
    /// output, unless somebody is asked first whether the client is to be let in.
    pub(crate) fn new(stream: S, read_ahead: &[u8], session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let mut connection = Self::begin(stream, read_ahead, session, shared);
        connection.prepare_leaving();
        connection.enter(Instant::now());
        connection
    }

    fn begin(stream: S, read_ahead: &[u8], session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let endpoint = session.endpoint.clone();
        let registration = shared.register(session.clone());
        let meter = ConnectionMeter::new(&endpoint);
        let io = Io::new(stream, OutputBuffer::of_server(), read_ahead);
        Self {
            socket: WebSocket::new(io, Role::Server, endpoint.limits.message_bytes),
            protocol: ServerConnection::new(endpoint.protocol_limits.clone(), now.into_std()),
            session,
            identity: None,
            standing: None,
            gate: None,
            endpoint,
            calls: ParkedCalls::default(),
            woken: VecDeque::new(),
            compress_above: None,
            yields: false,
            look_at_clock: Cell::new(false),
            timers: Timers::default(),
            pings: Lately::default(),
            pinging: None,
            meter,
            phase: Phase::Open,
            leaving: None,
            shared,
            registration: Some(registration),
        }
    }

    /// Begins a connection only to close it: its handshake asked for what is not served.
    pub(crate) fn refused(
        stream: S,
        session: Arc<Session>,
        shared: Arc<Shared>,
        code: CloseCode,
        reason: &str,
    ) -> Self {
        let mut connection = Self::begin(stream, &[], session, shared);
        connection.close(code, reason);
        connection
    }

    /// One turn. Ready when the connection is over.
    fn turn(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.session.mailbox.begin_turn(cx.waker());
        let now = Instant::now();
        self.take_mail(now);
        if !matches!(self.phase, Phase::Closing(_)) {
            match self.read(now, cx) {
                Read::TurnIsOver => self.yields = true,
                Read::Ended => return Poll::Ready(()),
                Read::Dry | Read::Shut | Read::Clogged | Read::Closing => {}
            }
            self.poll_gate(now, cx);
        }
        let Ok(left) = self.go_on(now, cx) else {
            return Poll::Ready(());
        };
        self.expire(now);
        if let Phase::Draining(since) = self.phase {
            self.finish_drain(since, now);
        }
        if let Phase::Closing(_) = self.phase {
            return self.poll_closing(now, cx);
        }
        if self.flush(now, cx).is_err() {
            return Poll::Ready(());
        }
        self.calls.shrink();
        let queued = self.protocol.queued_bytes() + self.socket.io.output.pending();
        self.session.counters.stands(self.protocol.open_streams(), queued);
        if self.arm(now, cx) || left == Left::Blocked && self.may_go_on() {
            cx.waker().wake_by_ref();
        }
        self.yields |= left == Left::ForLater;
        Poll::Pending
    }

    /// Reads and handles what is there.
    fn read(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Read {
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
    fn is_clogged(&self) -> bool {
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

    fn handle_message(&mut self, message: Bytes, now: Instant) {
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
            Ok(ServerEvent::Greeting(_)) => {
                let reads_deflate = self.protocol.peer_limits().deflate;
                self.compress_above = self.endpoint.limits.compress_above.filter(|_| reads_deflate);
            }
            Ok(ServerEvent::Authenticate(authenticate)) => self.authenticate(authenticate, now),
            Ok(ServerEvent::AuthenticateRefused { request_id, status }) => {
                self.tell_identity(request_id, Some(status), now);
            }
            // A pong, perhaps.
            Ok(_) => self.measure(),
            Err(error) => self.close_for(&error),
        }
    }

    /// Closes because of what the peer did, and leaves one line in the log.
    fn close_for(&mut self, error: &ConnectionError) {
        let reason = error.to_string();
        tracing::warn!(client = %self.session.id(), code = %error.close_code(), "closing: {reason:.120}");
        self.tell_hooks(&SessionError::Protocol(error));
        self.close(error.close_code(), &reason);
    }

    /// Hands the output to the socket, as much as it takes.
    fn flush(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> io::Result<()> {
        let before = self.socket.io.output.pending();
        let flushed = self.socket.io.poll_flush(cx);
        let pending = self.socket.io.output.pending();
        self.session.counters.sent(before - pending);
        match flushed {
            Poll::Ready(Ok(())) => {
                self.timers.flushed();
                self.protocol.handle_flushed();
            }
            Poll::Ready(Err(error)) => {
                self.broken(Some(&error));
                return Err(error);
            }
            Poll::Pending => {
                self.timers.stalled(pending < before, now);
            }
        }
        Ok(())
    }
}

/// Has the task polled again after everything else, including sockets that became ready meanwhile: a task that just
/// wakes itself would come back before those are looked at.
fn go_behind_all_others(cx: &mut TaskContext<'_>) {
    // Its first poll is what counts; the wake-up does not need the future any more.
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Connection<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        let polled = this.turn(cx);
        this.meter_turn();
        this.socket.io.release_input();
        if polled.is_pending() {
            let has_mail = this.session.mailbox.end_turn();
            if mem::take(&mut this.yields) {
                go_behind_all_others(cx);
            } else if has_mail {
                cx.waker().wake_by_ref();
            }
        }
        polled
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        // Before anything else of the connection goes: handlers may look at their session while they are dropped.
        self.leave_gate();
        self.let_go_of_calls();
        self.session.set_state(SessionState::Closed);
        // Off the lists before anybody is told.
        self.standing = None;
        self.registration = None;
        self.leave();
    }
}
