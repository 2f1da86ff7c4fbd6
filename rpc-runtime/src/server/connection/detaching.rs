//! A session without a connection: how it is kept when its connection is lost, what it does while it waits for its client,
//! and how it is given to the connection on which that comes back.
//!
//! What is kept is a connection whose socket is [`Nowhere`]: a task of its own polls it, so that it hears commands, ends with its
//! time, and leaves in the one place where sessions leave. Whoever has the session has all of it; it is given away whole, by the
//! task that has it, in its turn.
//!
//! Where calls go on over a resume, they are a part of it: they run while the session waits, and what they write is kept for the
//! client.

use std::{
    mem,
    task::{Context as TaskContext, Poll},
};

use rpc_protocol::{CloseCode, ServerConnection};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    time::Instant,
};

use super::{Connection, Phase, closing::Closing, going_on::Left, nowhere::Nowhere};
use crate::{
    SessionState,
    dispatch::panics,
    hub::EventQueue,
    server::detached::Waits,
    session::{
        Session,
        afterwards::Place,
        hooks::ErasedHooks,
        mailbox::{Claim, Claimed},
    },
};

/// A session that is between two connections, with all that lives as long as it does. Dropped, it leaves.
pub(crate) type Kept = Box<Connection<Nowhere>>;

/// A session's wait for its client.
pub(super) struct Absence {
    /// When it is over; `None`: the clock cannot hold it.
    until: Option<Instant>,
    waits: Waits,
    /// So many sequenced frames were sent before: the client may have that much of the session, and no more.
    sent: u64,
    /// A server that stops waits for it.
    _place: Place,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Whether the session is one that outlives this connection.
    fn may_be_kept(&self) -> bool {
        let nobody_known = self.endpoint.auth_required && self.identity.is_none();
        // Who is being decided about is not let wait as whom they may not be any more.
        self.listed.is_some() && !nobody_known && !self.is_shut() && !self.shared.is_draining()
    }

    /// Keeps the session, because its connection is lost. `false`: it ends with it.
    pub(super) fn detach(&mut self, code: CloseCode, reason: &str, now: Instant) -> bool {
        if !matches!(self.phase, Phase::Open) || !self.may_be_kept() {
            return false;
        }
        let Ok(runtime) = Handle::try_current() else {
            return false;
        };
        self.ends_with(code, reason);
        self.leave_gate();
        let mut meter = None;
        if self.socket.io.output.keeps_calls() {
            meter = self.meter_lost(code);
        } else {
            self.let_go_of_calls();
            self.session.counters.stands(0, 0);
        }
        let mut kept = self.give_up_session();
        kept.meter = meter;
        kept.meter_goes_on();
        kept.begin_to_wait(&runtime, now);
        true
    }

    /// Closes a connection that is not of use any more, because its client does not answer or read. The session may wait for it.
    pub(super) fn lose(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.detach(code, reason, now);
        self.close(code, reason);
    }

    /// The client has come back on another connection: gives it the session. Where that cannot be, it is told so by
    /// dropping the claim.
    pub(super) fn hand_over(&mut self, claim: Claim, now: Instant) {
        if !matches!(self.phase, Phase::Open | Phase::Detached(_)) || !self.may_be_kept() {
            return;
        }
        // Its task was about to end it: nobody is served once more by an identity that is over.
        if self.identity_ends().is_some_and(|end| now >= end) {
            return;
        }
        let Claim { user, answer } = claim;
        // Asked here, where nobody becomes another between the question and the answer.
        let own = self.identity.as_ref().map(|identity| identity.user());
        if user.is_some() && user.as_deref() != own {
            // That connection may be gone.
            let _ = answer.send(Claimed::OfSomebodyElse);
            return;
        }
        self.meter_turn();
        match answer.send(Claimed::Session(self.give_up_session())) {
            Ok(()) if matches!(self.phase, Phase::Open) => {
                self.close(CloseCode::GoingAway, "the session goes on on another connection");
            }
            // That connection is gone already.
            Err(Claimed::Session(mut kept)) => kept.give_session_to(self),
            Ok(()) | Err(Claimed::OfSomebodyElse) => {}
        }
    }

    fn give_up_session(&mut self) -> Kept {
        let mut kept = Box::new(Connection::bare(
            Nowhere,
            &[],
            self.session.clone(),
            self.shared.clone(),
        ));
        self.give_session_to(&mut kept);
        kept
    }

    /// Has the session go on there, with its calls where these go on over a resume.
    pub(super) fn give_session_to<T>(&mut self, to: &mut Connection<T>) {
        if self.socket.io.output.keeps_calls() {
            mem::swap(&mut to.protocol, &mut self.protocol);
            mem::swap(&mut to.calls, &mut self.calls);
            mem::swap(&mut to.woken, &mut self.woken);
            to.compress_above = self.compress_above;
        }
        to.session = self.session.clone();
        to.identity = self.identity.clone();
        to.standing = self.standing.take();
        to.registration = self.registration.take();
        to.leaving = self.leaving.take();
        to.listed = self.listed.take();
        let replay = self.socket.io.output.take_replay();
        to.socket.io.output.keep_for_resume(replay);
        // Also those that were queued while nobody was there to send them.
        to.events_left = true;
        to.handed_over = false;
        self.handed_over = true;
    }

    /// One turn of a session that waits for its client. Ready when it does not any more.
    pub(super) fn wait(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.session.mailbox.begin_turn(cx.waker());
        self.take_mail(now);
        if self.handed_over {
            // What is told of events now is for whoever has the session.
            return Poll::Ready(());
        }
        // They wait.
        self.session.mailbox.take_has_events();
        if self.socket.io.output.keeps_calls() && !self.go_on_waiting(now, cx) {
            return Poll::Ready(());
        }
        let (ends, bytes) = (self.identity_ends(), self.kept_bytes());
        let Phase::Detached(absence) = &mut self.phase else {
            return Poll::Ready(());
        };
        absence.waits.hold(bytes);
        let over = [absence.until, ends].into_iter().flatten().min();
        if over.is_some_and(|over| now >= over) {
            return Poll::Ready(());
        }
        if over.is_some_and(|over| self.timers.arm(over, now, cx)) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// What the session holds for its client, and would not if that were gone.
    fn kept_bytes(&mut self) -> usize {
        let output = &mut self.socket.io.output;
        let pending = output.pending();
        let replay = output.replay().map_or(0, |replay| replay.bytes());
        let events = self.session.events().map_or(0, EventQueue::bytes);
        let calls = usize::try_from(self.calls.bytes()).unwrap_or(usize::MAX);
        pending + replay + events + calls + self.protocol.queued_bytes() + self.session.held_bytes()
    }

    /// Goes on with the calls of a session that waits. `false`: it was given away meanwhile.
    fn go_on_waiting(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> bool {
        // Nothing fails that goes nowhere.
        let left = self.go_on(now, cx).unwrap_or(Left::Nothing);
        if self.handed_over {
            return false;
        }
        self.socket.io.output.discard();
        // What was held back for want of room in the output, which is empty again, is woken by nobody else.
        self.yields |= left == Left::ForLater || left == Left::Blocked && self.has_calls_to_poll();
        let Phase::Detached(absence) = &self.phase else {
            return true;
        };
        let sent = absence.sent;
        if let Some(replay) = self.socket.io.output.replay()
            && replay.given_up() > sent
        {
            // No client can have what is not there any more: its session goes on without.
            replay.keep_calls(0);
            self.let_go_of_calls();
            self.meter_turn();
            self.protocol = ServerConnection::new(self.endpoint.protocol_limits.clone(), now.into_std());
            // It has refused nothing yet.
            self.meter_goes_on();
            self.session.counters.stands(0, 0);
        } else {
            let (calls, queued) = (self.protocol.open_streams(), self.protocol.queued_bytes());
            self.session.counters.stands(calls, queued);
        }
        true
    }

    /// Ends the wait.
    pub(super) fn stop_waiting(&mut self) {
        self.phase = Phase::Closing(Closing::over());
    }

    /// Whether it is the wait with this number that goes on.
    pub(super) fn waits_as(&self, number: u64) -> bool {
        matches!(&self.phase, Phase::Detached(absence) if absence.waits.number() == number)
    }
}

impl Connection<Nowhere> {
    /// Begins to wait for the client, on a task of its own.
    pub(super) fn begin_to_wait(mut self: Box<Self>, runtime: &Handle, now: Instant) {
        let replay = self.socket.io.output.replay();
        let sent = replay.map_or(0, |replay| replay.sent_frames());
        self.phase = Phase::Detached(Box::new(Absence {
            until: now.checked_add(self.endpoint.limits.resume_window),
            waits: self.shared.detach(&self.session),
            sent,
            _place: self.shared.afterwards.begin(),
        }));
        // It may have waited before, and nobody has come.
        if self.session.state() != SessionState::Detached {
            self.settle_state();
            self.shared.hub.on_detached(&self.session);
            each_hook(&self.session, |hooks, session| hooks.on_detach(session));
        }
        runtime.spawn(self);
    }
}

/// Tells the hooks something at once.
pub(super) fn each_hook(
    session: &std::sync::Arc<Session>,
    tell: impl Fn(&dyn ErasedHooks, &std::sync::Arc<Session>),
) {
    for hooks in session.endpoint.hooks.iter() {
        if let Err(panic) = panics::catch(|| tell(&**hooks, session)) {
            tracing::error!(client = %session.id(), panic, "a hook panicked");
        }
    }
}
