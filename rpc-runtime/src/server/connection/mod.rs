//! The driver of one connection on the server: it supplies bytes, time and wakers, and moves what comes back.
//!
//! It is one future, polled by one task. A turn of it is: everything that can be read (up to the turn's bounds), each
//! message through protocol, router and dispatch, then the calls that were woken, also by what was just read, and what
//! waits for being sent, then one flush.
//!
//! ```text
//!  Open ── drain ──► Draining ── no call left ──┐
//!    │                   │                      ▼
//!    └── close, fault, violation, timer ──► Closing ── peer answered, or time is over ──► done
//! ```
//!
//! At first, and whenever a client authenticates, there may be somebody at the `gate`; meanwhile nothing may be read.

mod calls;
mod closing;
mod detaching;
#[cfg(feature = "__echo")]
mod echo;
mod events;
mod failing;
mod gate;
mod going_on;
mod identity;
mod leaving;
mod log;
mod metering;
mod nowhere;
mod pinging;
mod reading;
mod resting;
mod resuming;
mod standing;
mod timers;

use std::{
    cell::Cell,
    collections::VecDeque,
    fmt,
    future::Future,
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use rpc_protocol::{CloseCode, ConnectionError, ServerConnection};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    ActiveEndpoint,
    detached::Listed,
    shared::{Registration, Shared},
};
use crate::{
    SessionError, SessionState,
    auth::Identity,
    dispatch::parked::ParkedCalls,
    metrics::ConnectionMeter,
    session::Session,
    transport::{io::Io, lately::Lately, output::OutputBuffer, websocket::WebSocket},
};
use closing::Closing;
use detaching::Absence;
pub(crate) use detaching::Kept;
use gate::Gate;
use going_on::Left;
use leaving::Leaving;
pub(super) use log::OneLine;
use pinging::Waiting;
use reading::Read;
use standing::Standing;
use timers::Timers;

/// One connection, from the end of its handshake to its end.
pub(crate) struct Connection<S> {
    session: Arc<Session>,
    timers: Timers,
    /// What it counts, where its server counts.
    meter: Option<Box<ConnectionMeter>>,
    /// The last turn has left nothing to be done: the next may be a short one.
    rests: bool,
    /// Events wait for room in the output.
    events_left: bool,
    /// The turn has ended for the sake of others, and the next begins behind theirs.
    yields: bool,
    /// The session goes on elsewhere, or is over, and is not to be touched here any more.
    handed_over: bool,
    /// What was just done may have taken longer than a message does.
    look_at_clock: Cell<bool>,
    socket: WebSocket<S>,
    protocol: ServerConnection,
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
    pings: Lately,
    pinging: Option<Box<Waiting>>,
    phase: Phase,
    leaving: Option<Box<Leaving>>,
    /// Has the session found by its tokens, where it may be resumed.
    listed: Option<Box<Listed>>,
    /// Takes the session off the server's list at the end.
    registration: Option<Registration>,
}

enum Phase {
    Open,
    /// Since when.
    Draining(Instant),
    /// The session waits for its client; the socket is `Nowhere`.
    Detached(Box<Absence>),
    Closing(Closing),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Begins a connection whose upgrade is over; `read_ahead` was read behind it already. The greeting is in its
    /// output, unless somebody is asked first whether the client is to be let in.
    pub(crate) fn new(stream: S, read_ahead: &[u8], session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let window = session.endpoint.limits.resume_window;
        if session.info().is_coming_back() && !window.is_zero() {
            let mut connection = Self::bare(stream, read_ahead, session, shared);
            connection.meter = ConnectionMeter::new(&connection.endpoint);
            connection.await_greeting(Instant::now());
            return connection;
        }
        let mut connection = Self::begin(stream, read_ahead, session, shared);
        connection.prepare_leaving();
        connection.enter(Instant::now());
        connection
    }

    fn begin(stream: S, read_ahead: &[u8], session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let mut connection = Self::bare(stream, read_ahead, session, shared);
        connection.registration = Some(connection.shared.register(connection.session.clone()));
        connection.meter = ConnectionMeter::new(&connection.endpoint);
        connection
    }

    /// A connection that counts nothing, and whose session is on no list.
    fn bare(stream: S, read_ahead: &[u8], session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        let endpoint = session.endpoint.clone();
        let io = Io::new(stream, OutputBuffer::of_server(), read_ahead);
        Self {
            session,
            timers: Timers::default(),
            meter: None,
            rests: false,
            events_left: false,
            yields: false,
            handed_over: false,
            look_at_clock: Cell::new(false),
            socket: WebSocket::new(io, Role::Server, endpoint.limits.message_bytes),
            protocol: ServerConnection::new(endpoint.protocol_limits.clone(), now.into_std()),
            identity: None,
            standing: None,
            gate: None,
            endpoint,
            calls: ParkedCalls::default(),
            woken: VecDeque::new(),
            compress_above: None,
            pings: Lately::default(),
            pinging: None,
            phase: Phase::Open,
            leaving: None,
            shared,
            registration: None,
            listed: None,
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
        let now = Instant::now();
        if mem::take(&mut self.rests) {
            if let Some(polled) = self.send_only_events(now, cx) {
                return polled;
            }
        } else if self.handed_over {
            return self.poll_closing(now, cx);
        } else if let Phase::Detached(_) = self.phase {
            return self.wait(now, cx);
        }
        self.session.mailbox.begin_turn(cx.waker());
        self.take_mail(now);
        let mut is_dry = false;
        if !matches!(self.phase, Phase::Closing(_)) {
            match self.read(now, cx) {
                Read::Dry => is_dry = true,
                Read::TurnIsOver => self.yields = true,
                Read::Ended => return Poll::Ready(()),
                Read::Shut | Read::Clogged | Read::Closing => {}
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
            if !self.handed_over {
                // None is sent any more: whoever is told of them is not to come back for them, again and again.
                self.session.mailbox.take_has_events();
            }
            return self.poll_closing(now, cx);
        }
        self.send_events();
        if self.flush(now, cx).is_err() {
            return Poll::Ready(());
        }
        self.calls.shrink();
        let queued = self.protocol.queued_bytes() + self.socket.io.output.pending();
        self.session.counters.stands(self.protocol.open_streams(), queued);
        if self.arm(now, cx) || (left == Left::Blocked || self.has_events_to_send()) && self.may_go_on() {
            cx.waker().wake_by_ref();
        }
        self.yields |= left == Left::ForLater;
        self.rests = is_dry && left == Left::Nothing && self.has_nothing_to_do();
        Poll::Pending
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
        if let Phase::Detached(_) = self.phase {
            self.socket.io.output.discard();
            return Ok(());
        }
        let before = self.socket.io.output.pending();
        let flushed = self.write_output(cx);
        let pending = self.socket.io.output.pending();
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

    /// Has the socket take of the output what it takes, and counts that. Ready when it was all.
    fn write_output(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        let before = self.socket.io.output.pending();
        let flushed = self.socket.io.poll_flush(cx);
        let pending = self.socket.io.output.pending();
        self.session.counters.sent(before - pending);
        flushed
    }
}

#[cfg(feature = "cmmv")]
impl<S: AsyncRead + AsyncWrite + Unpin> Connection<crate::cmmv::CmmvSocket<S>> {
    /// Begins a connection whose client speaks CMMV's wire.
    pub(crate) fn translated(stream: S, session: Arc<Session>, shared: Arc<Shared>) -> Self {
        let stream = crate::cmmv::CmmvSocket::new(stream, &session);
        Self::new(stream, &[], session, shared)
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
        if polled.is_ready() {
            // Where it was not closed, it is lost.
            this.detach(CloseCode::Abnormal, "", Instant::now());
            this.end_session();
        } else if !this.handed_over {
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

impl<S> Connection<S> {
    /// Ends the session, unless it goes on elsewhere: now, however long the socket stays.
    fn end_session(&mut self) {
        // Before anything else of the connection goes: handlers may look at their session while they are dropped.
        self.leave_gate();
        self.let_go_of_calls();
        self.socket.let_go_of_bytes();
        self.meter = None;
        if self.handed_over {
            return;
        }
        self.handed_over = true;
        self.session.set_state(SessionState::Closed);
        // Off the lists before anybody is told.
        self.standing = None;
        self.registration = None;
        self.shared.hub.on_gone(&self.session);
        self.listed = None;
        // A client that comes back now is not let wait.
        drop(self.session.mailbox.take());
        self.leave();
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.end_session();
    }
}

impl<S> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;

    use super::*;

    #[test]
    fn what_only_some_connections_need_takes_little_room_of_the_others() {
        let sizes = (size_of::<Connection<TcpStream>>(), size_of::<Session>());
        // With hooks, identities and pings in question, which are boxed, it would be some hundred bytes more.
        // Of these, 48 and 16 are for what is kept of a session that may be resumed, where anything is; and 32 spare each turn a look at
        // the timer.
        assert!(sizes.0 <= 1_808 && sizes.1 <= 496, "{sizes:?}");
    }
}
