//! The task of a client's connection: it moves bytes and time, and hands outcomes out.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rpc_protocol::{CloseCode, ConnectionError, Limits};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, Sleep},
};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{
    error::Closed,
    link::{Link, Woken},
};
use crate::transport::{
    io::Io,
    lately::Lately,
    output::OutputBuffer,
    websocket::{Incoming, Stop, WebSocket},
};

/// Messages that are handled in one turn before other tasks get theirs.
const TURN_MESSAGES: usize = 256;

/// The clock is looked at after so many reads, which may bring no message, such as empty fragments ...
const FILLS_PER_LOOK: u32 = 4;

/// ... and a turn that has lasted so long is over.
const TURN_TIME: Duration = Duration::from_millis(1);

/// A turn reads no more than this before those who wait for it go on: see the server's connection, which does the same.
const READ_AHEAD: usize = 256 * 1024;

pub(super) struct Driver<S> {
    socket: WebSocket<S>,
    link: Arc<Link>,
    timer: Option<Pin<Box<Sleep>>>,
    /// Set once a close frame was sent or received: until when the rest is waited for.
    closing: Option<Instant>,
    /// What the program closes with, once what was written before has left, and until when that is waited for.
    leaving: Option<(CloseCode, String, Instant)>,
    /// Since when the server takes nothing of what waits for it.
    stalled_since: Option<Instant>,
    pings: Lately,
    most_pings: u32,
    /// Whom this turn lets go on.
    woken: Woken,
    /// For how many turns it has let others go first, so that what they send leaves together.
    turns_left_to_others: u8,
    /// The link knows that this task has ended.
    ended: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    pub(super) fn new(stream: S, read_ahead: &[u8], link: Arc<Link>) -> Self {
        let io = Io::new(stream, OutputBuffer::of_client(), read_ahead);
        let socket = WebSocket::new(io, Role::Client, link.limits.protocol().max_message_bytes);
        Self {
            socket,
            link,
            timer: None,
            closing: None,
            leaving: None,
            stalled_since: None,
            pings: Lately::default(),
            most_pings: Limits::default().max_pings,
            woken: Woken::default(),
            turns_left_to_others: 0,
            ended: false,
        }
    }

    /// One turn. Ready when the connection is over, with what is known of why.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        self.link.register(cx.waker());
        let now = Instant::now();
        let mut more = match self.read(now, cx) {
            Ok(more) => more,
            Err(closed) => return Poll::Ready(closed),
        };
        let link = self.link.clone();
        let mut state = link.lock();
        if let Some((code, reason)) = state.take_close_request()
            && self.closing.is_none()
        {
            state.give_all_up(Closed::new(code, reason.as_str()), &mut self.woken);
            self.leaving = Some((code, reason, now + link.limits.close_timeout));
        }
        let mut heartbeat = None;
        if self.closing.is_none() {
            heartbeat = match state.keep_alive(now) {
                Ok(due) => due,
                Err(error) => return Poll::Ready(Closed::new(CloseCode::Abnormal, error.to_string())),
            };
        }
        let expiry = state.expire(now, &mut self.woken);
        let more_to_send = self.closing.is_none() && !state.is_away() && state.transmit();
        // What the server does not take stays with the calls, which then wait. Nothing follows a close frame.
        let held_back = self.socket.io.output.pending() > link.limits.unsent_bytes;
        let waits = held_back || self.closing.is_some();
        // The first call that wrote something has woken this task, and others are about to write as well: let them,
        // so that a burst of calls leaves in one piece. Waking itself puts a task behind all that are ready.
        if !waits
            && self.leaving.is_none()
            && !state.is_over()
            && state.awaits_others(self.turns_left_to_others)
        {
            self.turns_left_to_others += 1;
            drop(state);
            link.wake(&mut self.woken);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.turns_left_to_others = 0;
        if !waits {
            state.let_go(&mut self.socket.io.output, &mut self.woken);
        }
        let over = state.is_over();
        let has_left = state.has_let_go();
        drop(state);
        link.wake(&mut self.woken);
        if let Some((code, reason, _)) = self.leaving.take_if(|(.., until)| has_left || now >= *until) {
            self.close(code, &reason, now);
        } else if over {
            self.close(CloseCode::Normal, "", now);
        }
        let before = self.socket.io.output.pending();
        match self.socket.io.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.stalled_since = None;
                more |= link.lock().flushed(0) || more_to_send;
            }
            Poll::Ready(Err(error)) => return Poll::Ready(broken(&error)),
            Poll::Pending => {
                let pending = self.socket.io.output.pending();
                if pending < before {
                    self.stalled_since = None;
                }
                more |= link.lock().flushed(pending);
                self.stalled_since.get_or_insert(now);
            }
        }
        let stall = self.stalled_since.map(|since| since + link.limits.write_stall);
        if stall.is_some_and(|until| now >= until) {
            let reason = "the server does not read what it is sent";
            return Poll::Ready(Closed::new(CloseCode::TooSlow, reason));
        }
        match self.closing {
            Some(until) if now >= until => return Poll::Ready(lost()),
            _ => {}
        }
        // What was held back has its turn once the rest is out.
        more |= held_back && self.socket.io.output.pending() <= link.limits.unsent_bytes;
        let leaving = self.leaving.as_ref().map(|(.., until)| *until);
        let due = [self.closing.or(heartbeat), expiry, stall, leaving]
            .into_iter()
            .flatten()
            .min();
        if self.arm(due, cx) || more {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Reads and hands out what is there. Whether there may be more.
    fn read(&mut self, now: Instant, cx: &mut Context<'_>) -> Result<bool, Closed> {
        let (mut handled, mut fills, mut filled) = (0, 0_u32, 0);
        loop {
            if self.handle_messages(&mut handled, now)? {
                return Ok(true);
            }
            fills += 1;
            if filled >= READ_AHEAD || fills.is_multiple_of(FILLS_PER_LOOK) && now.elapsed() >= TURN_TIME {
                return Ok(true);
            }
            match self.socket.poll_fill(cx) {
                Poll::Ready(Ok(count)) => filled += count,
                Poll::Ready(Err(error)) => return Err(broken(&error)),
                Poll::Pending => return Ok(false),
            }
        }
    }

    /// Handles every whole message that was read, under one lock. Whether the turn is over.
    fn handle_messages(&mut self, handled: &mut usize, now: Instant) -> Result<bool, Closed> {
        let link = self.link.clone();
        let mut state = link.lock();
        let mut over = false;
        let ended = loop {
            match self.socket.read() {
                Ok(Incoming::Binary(message)) if self.closing.is_none() => {
                    if let Err(error) = state.handle_message(message, now, &link, &mut self.woken) {
                        break Some(Ended::ByUs(error.close_code(), error.to_string()));
                    }
                }
                // Each was answered with a pong, into the output.
                Ok(Incoming::Ping) if !self.pings.allows(now, self.most_pings) => {
                    let error = ConnectionError::TooManyPings;
                    break Some(Ended::ByUs(error.close_code(), error.to_string()));
                }
                Ok(Incoming::Ping | Incoming::Pong) => state.handle_activity(now),
                Ok(Incoming::Close(frame)) => break Some(Ended::ByPeer(frame)),
                Ok(Incoming::Text(_)) if self.closing.is_none() => {
                    break Some(Ended::ByUs(CloseCode::Unsupported, "text message".to_owned()));
                }
                Ok(_) => {}
                Err(Stop::NeedsMore) => break None,
                Err(Stop::Finished | Stop::Broken) => return Err(lost()),
                Err(Stop::Violation { code, reason }) => {
                    break Some(Ended::ByUs(CloseCode::from_u16(code), reason));
                }
            }
            *handled += 1;
            if *handled >= TURN_MESSAGES {
                over = true;
                break None;
            }
        };
        drop(state);
        link.wake(&mut self.woken);
        match ended {
            None => {}
            Some(Ended::ByUs(code, reason)) => self.close(code, &reason, now),
            Some(Ended::ByPeer(frame)) => {
                let (code, reason) = frame.unwrap_or((1005, String::new()));
                let closed = Closed::new(CloseCode::from_u16(code), reason);
                if link.may_go_on(&closed) {
                    return Err(closed);
                }
                link.close(closed);
                self.closing.get_or_insert(now + self.link.limits.close_timeout);
            }
        }
        Ok(over)
    }

    /// Sends a close frame and fails what is waited for; the server's answer is waited for a little while.
    fn close(&mut self, code: CloseCode, reason: &str, now: Instant) {
        if self.closing.is_none() {
            self.socket.close(code, reason);
            self.closing = Some(now + self.link.limits.close_timeout);
            self.link.close(Closed::new(code, reason));
        }
    }

    /// Sees to it that the task is polled at `due`, or somewhat before. Whether that is now.
    fn arm(&mut self, due: Option<Instant>, cx: &mut Context<'_>) -> bool {
        let Some(due) = due else { return false };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if timer.deadline() > due || timer.is_elapsed() {
            timer.as_mut().reset(due);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

/// Why the exchange of messages ends.
enum Ended {
    ByUs(CloseCode, String),
    ByPeer(Option<(u16, String)>),
}

/// The connection ended without a close frame.
fn lost() -> Closed {
    Closed::new(CloseCode::Abnormal, "the connection was lost")
}

fn broken(error: &io::Error) -> Closed {
    Closed::new(CloseCode::Abnormal, format!("the connection was lost: {error}"))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Driver<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let polled = this.turn(cx);
        this.socket.io.release_input();
        match polled {
            Poll::Ready(closed) => {
                let _ = Pin::new(&mut this.socket.io.stream).poll_shutdown(cx);
                // Where a close frame has said more, that stays.
                this.link.lost(closed);
                this.ended = true;
                Poll::Ready(())
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        if !self.ended {
            // The runtime is gone: nobody shall wait for ever.
            self.link.close(Closed::new(
                CloseCode::Abnormal,
                "the connection's task was dropped",
            ));
            self.link.end();
        }
    }
}
