//! A client that comes back to its session: its first frame, what its token is worth, and how the session goes on here.
//!
//! ```text
//!  connect ──▶ the client's greeting ──▶ token ──▶ whoever has the session gives it ──▶ resumed
//!                     │ none in it         │ unknown, or of another place      │ there is none any more
//!                     └────────────────────┴───────────────────────────────────┴──▶ a new session
//!                                          │ used up, or of somebody else
//!                                          └──▶ closed with 4506
//! ```
//!
//! Only a client that says in its handshake that it comes back is waited for.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use bytes::Bytes;
use rpc_protocol::{
    CloseCode, ConnectionError, Replay, ServerEvent,
    frame::{Acknowledgement, Greeting},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::oneshot,
    time::Instant,
};

use super::{
    Connection,
    detaching::{Kept, each_hook},
    gate::Asked,
};
use crate::{
    Session,
    metrics::ResumeOutcome,
    server::shared::micros,
    session::{
        mailbox::Command,
        resume::{Shown, Tokens, Verdict},
    },
};

/// A client that waits for its session to be given to its connection.
pub(super) struct Return {
    session: oneshot::Receiver<Kept>,
    shown: Shown,
    /// Sequenced frames that it has received in it.
    received: u64,
}

impl Return {
    /// Ready when the session is there; `None`: it has ended.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Kept>> {
        Pin::new(&mut self.session).poll(cx).map(Result::ok)
    }
}

/// What a greeting tells of resumes.
#[derive(Default)]
pub(super) struct Told {
    token: Option<String>,
    resumed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits for the greeting of a client that says that it comes back.
    pub(super) fn await_greeting(&mut self, now: Instant) {
        self.ask(Asked::Greeting, false, now);
    }

    /// That has come, or what should be it.
    #[cold]
    pub(super) fn handle_first(&mut self, message: Bytes, now: Instant) {
        self.leave_gate();
        let output = &mut self.socket.io.output;
        match self.protocol.handle_message(message, now.into_std(), output) {
            Ok(ServerEvent::Greeting(greeting)) => {
                self.is_greeted();
                self.come_back(&greeting, now);
            }
            Ok(_) => {
                let reason = "the first frame of a client that comes back is its greeting";
                self.close(CloseCode::ProtocolViolated, reason);
            }
            Err(error) => self.close_for(&error),
        }
    }

    /// Looks for the session of a client that comes back.
    fn come_back(&mut self, greeting: &Greeting, now: Instant) {
        if greeting.resume_token.is_empty() {
            return self.begin_session(now);
        }
        let found = Shown::read(&greeting.resume_token)
            .and_then(|shown| Some((shown, self.shared.session_of_token(&shown.name)?)))
            .filter(|(_, session)| self.is_same_place(session));
        let Some((shown, session)) = found else {
            return self.begin_instead(ResumeOutcome::Unknown, now);
        };
        let used_up = |tokens: &Tokens| tokens.look_at(&shown) == Verdict::UsedUp;
        if session.tokens.get().is_some_and(|tokens| used_up(tokens)) {
            return self.refuse_used_up(&session);
        }
        let handshake = self.session.identity();
        if handshake.is_some_and(|identity| session.user().as_deref() != Some(identity.user())) {
            return self.refuse_somebody_else(&session);
        }
        let (sender, receiver) = oneshot::channel();
        session.mailbox.send(Command::HandOver(sender));
        // Who leaves empties the mailbox after it has said so: what was put in later stays there.
        if session.state() == crate::SessionState::Closed {
            return self.begin_instead(ResumeOutcome::Unknown, now);
        }
        let asked = Return {
            session: receiver,
            shown,
            received: greeting.received_frames,
        };
        self.ask(Asked::Session(Box::new(asked)), true, now);
    }

    /// A session goes on where it was begun: its services, rights and parameters are those of the place.
    fn is_same_place(&self, session: &Session) -> bool {
        Arc::ptr_eq(&session.endpoint, &self.endpoint) && session.info().path() == self.session.info().path()
    }

    /// A token was shown whose successor has arrived: one of the two who have had it is not the client.
    fn refuse_used_up(&mut self, session: &Session) {
        self.endpoint.meter.resume(ResumeOutcome::Replayed);
        let from = self.session.info().client_addr();
        tracing::warn!(client = %session.id(), ?from, "a resume token was used twice: the session is closed");
        session.close(
            CloseCode::TryAgainLater,
            "a resume token of the session was used twice: begin a new one",
        );
        self.close(CloseCode::ResumeRefused, "the resume token was used before");
    }

    fn refuse_somebody_else(&mut self, session: &Session) {
        self.endpoint.meter.resume(ResumeOutcome::Identity);
        let from = self.session.info().client_addr();
        tracing::warn!(
            client = %session.id(), ?from,
            "not resumed: the handshake's identity is not the session's"
        );
        let reason = "the session is of another identity than the handshake";
        self.close(CloseCode::ResumeRefused, reason);
    }

    /// Begins a new session for a client that did not find its own.
    fn begin_instead(&mut self, outcome: ResumeOutcome, now: Instant) {
        self.endpoint.meter.resume(outcome);
        self.begin_session(now);
    }

    /// Begins a session of its own.
    pub(super) fn begin_session(&mut self, now: Instant) {
        self.registration = Some(self.shared.register(self.session.clone()));
        self.prepare_leaving();
        self.enter(now);
    }

    /// The session was given to this connection, or has ended before it could be.
    pub(super) fn return_to(
        &mut self,
        session: Option<Kept>,
        asked: &Return,
        now: Instant,
        cx: &mut TaskContext<'_>,
    ) {
        let Some(mut kept) = session else {
            return self.begin_instead(ResumeOutcome::Unknown, now);
        };
        // Whoever came back meanwhile with the same token may have acknowledged its successor.
        let used_up = |tokens: &Tokens| tokens.look_at(&asked.shown) == Verdict::UsedUp;
        if kept.session.tokens.get().is_some_and(|tokens| used_up(tokens)) {
            // With `kept` it leaves.
            let session = kept.session.clone();
            return self.refuse_used_up(&session);
        }
        let replay = kept.socket.io.output.replay();
        if !replay.is_some_and(|replay| replay.can_resume(asked.received, false)) {
            // It leaves.
            drop(kept);
            return self.begin_instead(ResumeOutcome::Missed, now);
        }
        self.go_on_with(kept, asked, now, cx);
    }

    fn go_on_with(&mut self, mut kept: Kept, asked: &Return, now: Instant, cx: &mut TaskContext<'_>) {
        let shown_now = self.session.identity();
        self.meter_turn();
        kept.give_session_to(self);
        drop(kept);
        self.goes_on();
        self.session
            .set_answer_bytes(self.protocol.peer_limits().max_body_bytes);
        // Whoever writes to the session from now on wakes this task.
        self.session.mailbox.begin_turn(cx.waker());
        if let Some(identity) = shown_now
            && !self.is_refreshed(identity, now)
        {
            return;
        }
        if self.identity.is_some() || !self.endpoint.auth_required {
            self.socket.set_limit(self.endpoint.limits.message_bytes);
        }
        if let Some(replay) = self.socket.io.output.replay() {
            replay.resume(asked.received, false);
        }
        let token = self
            .session
            .tokens
            .get()
            .map(|tokens| tokens.replace(&asked.shown));
        self.endpoint.meter.resume(ResumeOutcome::Session);
        self.meter_goes_on();
        self.settle_state();
        self.shared.hub.on_resumed(&self.session);
        each_hook(&self.session, |hooks, session| hooks.on_resume(session));
        let told = Told { token, resumed: true };
        self.greet(&told, now);
        self.socket.io.output.write_again();
    }

    /// Has the session found by a token, where it may be resumed. What its greeting tells of that.
    pub(super) fn make_resumable(&mut self) -> Told {
        if self.endpoint.limits.resume_window.is_zero() {
            return Told::default();
        }
        let (tokens, token) = Tokens::new();
        let listed = self.shared.list_resumable(tokens.name(), &self.session);
        // It is set once: a session is begun once.
        let _ = self.session.tokens.set(Box::new(tokens));
        self.listed = Some(Box::new(listed));
        let replay = Replay::new(self.endpoint.limits.event_queue_bytes, 0);
        self.socket.io.output.keep_for_resume(Some(Box::new(replay)));
        Told {
            token: Some(token),
            resumed: false,
        }
    }

    /// Adds what the client is to know.
    pub(super) fn tell_of_resume(&self, told: &Told, greeting: &mut Greeting) {
        if let Some(token) = &told.token {
            greeting.resume_token.clone_from(token);
            greeting.resume_within_us = micros(self.endpoint.limits.resume_window);
            greeting.resumed = told.resumed;
            greeting.received_frames = self.protocol.received_frames();
        }
    }

    /// The client says what it has received.
    pub(super) fn acknowledged(&mut self, acknowledgement: &Acknowledgement) {
        if acknowledgement.resume_token
            && let Some(tokens) = self.session.tokens.get()
        {
            tokens.stored();
        }
        let acknowledged = match self.socket.io.output.replay() {
            Some(replay) => replay.acknowledge(acknowledgement.received_frames),
            None => Ok::<(), ConnectionError>(()),
        };
        if let Err(error) = acknowledged {
            self.close_for(&error);
        }
    }
}
