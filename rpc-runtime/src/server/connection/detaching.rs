//! A session without a connection: how it is kept when its connection is lost, what it does while it waits for its client,
//! and how it is given to the connection on which that comes back.
//!
//! What is kept is a connection whose socket is [`Nowhere`]: a task of its own polls it, so that it hears commands, ends with its
//! time, and leaves in the one place where sessions leave. Whoever has the session has all of it; it is given away whole, by the
//! task that has it, in its turn.

use std::task::{Context as TaskContext, Poll};

use rpc_protocol::CloseCode;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    sync::oneshot,
    time::Instant,
};

use super::{Connection, Phase, closing::Closing, nowhere::Nowhere};
use crate::{
    dispatch::panics,
    hub::EventQueue,
    server::detached::Waits,
    session::{Session, afterwards::Place, hooks::ErasedHooks},
};

/// A session that is between two connections, with all that lives as long as it does. Dropped, it leaves.
pub(crate) type Kept = Box<Connection<Nowhere>>;

/// A session's wait for its client.
pub(super) struct Absence {
    /// When it is over; `None`: the clock cannot hold it.
    until: Option<Instant>,
    waits: Waits,
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
        self.let_go_of_calls();
        self.session.counters.stands(0, 0);
        let mut kept = self.give_up_session();
        kept.phase = Phase::Detached(Box::new(Absence {
            until: now.checked_add(kept.endpoint.limits.resume_window),
            waits: kept.shared.detach(&kept.session),
            _place: kept.shared.afterwards.begin(),
        }));
        kept.settle_state();
        kept.shared.hub.on_detached(&kept.session);
        each_hook(&kept.session, |hooks, session| hooks.on_detach(session));
        runtime.spawn(kept);
        true
    }

    /// Closes a connection that is not of use any more, because its client does not answer or read. The session may wait for it.
    pub(super) fn lose(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.detach(code, reason, now);
        self.close(code, reason);
    }

    /// The client has come back on another connection: gives it the session. Where that cannot be, it is told so by
    /// dropping `to`.
    pub(super) fn hand_over(&mut self, to: oneshot::Sender<Kept>) {
        if !matches!(self.phase, Phase::Open | Phase::Detached(_)) || !self.may_be_kept() {
            return;
        }
        self.meter_turn();
        match to.send(self.give_up_session()) {
            Ok(()) if matches!(self.phase, Phase::Open) => {
                self.close(CloseCode::GoingAway, "the session goes on on another connection");
            }
            Ok(()) => {}
            // That connection is gone already.
            Err(mut kept) => kept.give_session_to(self),
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

    /// Has the session go on there.
    pub(super) fn give_session_to<T>(&mut self, to: &mut Connection<T>) {
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
    pub(super) fn wait(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.session.mailbox.begin_turn(cx.waker());
        let now = Instant::now();
        self.take_mail(now);
        // They wait.
        self.session.mailbox.take_has_events();
        if self.handed_over {
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
        if over.is_some_and(|over| self.timers.arm(over, cx)) {
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
        pending + replay + events + self.protocol.queued_bytes() + self.session.held_bytes()
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
