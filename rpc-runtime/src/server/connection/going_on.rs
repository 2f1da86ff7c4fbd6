//! Going on with calls that wait: those that were woken, those that have room to write again, and what is queued inside
//! the protocol.
//!
//! Calls that write while they run get a share each, in turn, and only while little output waits for the socket: so an
//! answer of another call never stands behind more than that.

use std::{io, task::Context as TaskContext};

use rpc_protocol::{
    CloseCode, Code,
    frame::{End, GoAway},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    task::coop,
    time::Instant,
};

use super::{super::shared::micros, Connection, Phase};
use crate::{
    dispatch::Turn,
    session::mailbox::{Command, Report},
};

/// Streams write no further while more output than this waits for the socket. Once the socket has taken it, what came
/// meanwhile is read before they go on: a call waits for so much of their output, which the socket takes in some twenty
/// microseconds, and not for a whole turn of it. Less would make more system calls of the same bytes.
pub(super) const WRITE_AHEAD: usize = 64 * 1024;

/// The clock is looked at after so many polls of calls, which may read a stream's messages or make some.
const POLLS_PER_LOOK: usize = 4;

/// What is left to be done for calls when a turn ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// As much as the turn had no time for.
    ForLater,
    /// What waits for the peer to take what it is sent.
    Blocked,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes in what others have left for this connection.
    pub(super) fn take_mail(&mut self, now: Instant) {
        if self.handed_over {
            // What comes now, and what was put back, is for whoever has the session.
            return;
        }
        let Some(mail) = self.session.mailbox.take() else {
            return;
        };
        self.woken
            .extend(mail.woken.into_iter().filter(|slot| self.calls.list(*slot)));
        for report in mail.reports {
            if self.is_closing() {
                break;
            }
            self.hear(report, now);
        }
        let mut commands = mail.commands.into_iter();
        while let Some(command) = commands.next() {
            // Nothing may follow the close frame (RFC 6455, section 5.5.1).
            if self.is_closing() {
                break;
            }
            self.obey(command, now);
            if self.handed_over {
                // They are for whoever has the session now.
                self.session.mailbox.put_back(commands);
                break;
            }
        }
    }

    fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing(_))
    }

    fn hear(&mut self, report: Report, now: Instant) {
        let output = &mut self.socket.io.output;
        match report {
            Report::Consumed { stream_id, bytes } => {
                self.protocol.consumed(stream_id, bytes, output);
            }
            Report::Abandoned { stream_id } => self.protocol.stop_reading(stream_id, output),
            Report::Fault => {
                if let Err(error) = self.protocol.fault(now.into_std()) {
                    self.close_for(&error);
                }
            }
        }
    }

    fn obey(&mut self, command: Command, now: Instant) {
        match command {
            Command::HandOver(claim) => self.hand_over(claim, now),
            Command::GiveUp(number) => {
                if self.waits_as(number) {
                    self.stop_waiting();
                }
            }
            // Nobody is there to answer.
            Command::Ping(_) if matches!(self.phase, Phase::Detached(_)) => {}
            _ if matches!(self.phase, Phase::Detached(_)) => self.stop_waiting(),
            Command::Drain => {
                if self.gate.as_ref().is_some_and(|gate| gate.is_of_connect()) {
                    // There are no calls to finish, and elsewhere it is let in sooner.
                    self.close(CloseCode::Restart, "the server is stopping");
                } else if let Phase::Open = self.phase {
                    self.phase = Phase::Draining(now);
                    self.settle_state();
                    let go_away = GoAway {
                        grace_us: micros(self.shared.limits.drain_grace),
                        ..GoAway::default()
                    };
                    self.protocol.go_away(go_away, &mut self.socket.io.output);
                }
            }
            Command::Stop => self.stop(),
            Command::Close { code, reason } => self.close(code, &reason),
            Command::Ping(asks) => self.ping(asks, now),
        }
    }

    /// Ends every call that is not over with exactly one end, and closes.
    fn stop(&mut self) {
        let end = End::new(
            Code::Unavailable,
            "the server is stopping and has cancelled the call",
        );
        for stream_id in self.calls.running() {
            if let Some(cancelled) = self.calls.cancel(stream_id, Code::Unavailable) {
                self.session.counters.failed_call();
                self.meter_call(cancelled.measured, Code::Unavailable);
                self.count_one_way_failure(cancelled.one_way);
            }
        }
        self.protocol.end_all(&end, &mut self.socket.io.output);
        self.close(CloseCode::Restart, "the server is stopping");
    }

    /// Goes on with calls for as long as the turn lasts.
    pub(super) fn go_on(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> io::Result<Left> {
        let mut done = 0;
        loop {
            self.take_mail(now);
            if let Phase::Closing(_) = self.phase {
                return Ok(Left::Nothing);
            }
            let room = match self.is_far_ahead() {
                true => 0,
                false => WRITE_AHEAD - self.socket.io.output.pending(),
            };
            let more = self.protocol.transmit(room, &mut self.socket.io.output);
            while let Some(stream_id) = self.protocol.poll_writable() {
                if let Some(slot) = self.calls.slot_of(stream_id)
                    && self.calls.list(slot)
                {
                    self.woken.push_back(slot);
                }
            }
            if self.woken.is_empty() && !more {
                return Ok(Left::Nothing);
            }
            let left = self.poll_woken(&mut done, now, cx)?;
            if left == Left::ForLater || left == Left::Blocked && !more {
                return Ok(left);
            }
            if more {
                self.flush(now, cx)?;
                return Ok(if self.is_far_ahead() {
                    Left::Blocked
                } else {
                    Left::ForLater
                });
            }
        }
    }

    /// Polls every call that was woken, once.
    fn poll_woken(&mut self, done: &mut usize, now: Instant, cx: &mut TaskContext<'_>) -> io::Result<Left> {
        let mut held_back = Vec::new();
        let mut left = Left::Nothing;
        for _ in 0..self.woken.len() {
            let Some(slot) = self.woken.pop_front() else { break };
            if self.is_far_ahead() && self.calls.writes(slot) {
                self.flush(now, cx)?;
                if !self.is_far_ahead() {
                    self.woken.push_front(slot);
                    left = Left::ForLater;
                    break;
                }
            }
            let progress = if self.may_poll(slot) {
                self.calls.poll(
                    slot,
                    &mut Turn {
                        protocol: &mut self.protocol,
                        output: &mut self.socket.io.output,
                        compress_above: self.compress_above,
                        followed: None,
                        answered: Code::Ok,
                    },
                )
            } else {
                held_back.push(slot);
                // A peer that takes nothing makes no call last longer than it may.
                self.calls.poll_timer(slot)
            };
            if let Some(progress) = progress {
                self.progress(progress, now);
            }
            *done += 1;
            let is_over = done.is_multiple_of(POLLS_PER_LOOK)
                && now.elapsed() >= self.endpoint.limits.turn_time
                // Without a budget, whatever of tokio's calls wait for says that it is not ready.
                || !coop::has_budget_remaining();
            if is_over {
                left = Left::ForLater;
                break;
            }
        }
        if !held_back.is_empty() {
            left = left.max_with(Left::Blocked);
            for slot in held_back.into_iter().rev() {
                self.woken.push_front(slot);
            }
        }
        Ok(left)
    }

    /// Whether a call may go on. Calls that do write answers, which wait for the peer: no more of them than it takes.
    fn may_poll(&self, slot: u32) -> bool {
        let shall_wait = self.calls.writes(slot) && !self.may_write_streams();
        !(shall_wait || self.is_clogged() || self.is_queue_full() || self.holds_calls_back())
    }

    /// Whether one of the calls that were woken may go on now.
    pub(super) fn has_calls_to_poll(&self) -> bool {
        self.woken.iter().any(|slot| self.may_poll(*slot))
    }

    /// Whether streams may write now.
    pub(super) fn may_write_streams(&self) -> bool {
        !self.is_far_ahead() && !self.is_queue_half_full()
    }

    /// Whether streams are not to write now.
    fn is_far_ahead(&self) -> bool {
        let output = &self.socket.io.output;
        output.pending() > WRITE_AHEAD || output.keeps_much()
    }

    /// Whether a session that waits for its client keeps so much for it that all calls wait, also those that are answered once: what
    /// they write is not to cost others what was kept of theirs.
    fn holds_calls_back(&self) -> bool {
        matches!(self.phase, Phase::Detached(_)) && self.socket.io.output.keeps_much()
    }

    /// Whether so much waits for the peer to open its windows that nothing is to be added.
    pub(super) fn is_queue_full(&self) -> bool {
        self.protocol.queued_bytes() > self.endpoint.limits.queued_bytes
    }

    /// Whether streams are to add nothing more to what waits for windows: the other half is for calls that are answered
    /// once, which streams that nobody reads then do not hold up.
    fn is_queue_half_full(&self) -> bool {
        self.protocol.queued_bytes() > self.endpoint.limits.queued_bytes / 2
    }

    /// Whether what was blocked is so no more.
    pub(super) fn may_go_on(&self) -> bool {
        !self.is_clogged() && self.may_write_streams()
    }
}

impl<S> Connection<S> {
    /// Cancels all calls, because the connection is over. Methods of sessions have their grace.
    pub(super) fn let_go_of_calls(&mut self) {
        let grace = self.endpoint.limits.session_grace;
        self.meter_all_cancelled();
        for method in self.calls.cancel_all() {
            // Where the runtime is gone, so is the grace.
            let Ok(runtime) = Handle::try_current() else {
                return;
            };
            let place = self.shared.afterwards.begin();
            runtime.spawn(async move {
                let _ = tokio::time::timeout(grace, method).await;
                drop(place);
            });
        }
    }
}

impl Left {
    fn max_with(self, other: Self) -> Self {
        if self == Self::Nothing { other } else { self }
    }
}
