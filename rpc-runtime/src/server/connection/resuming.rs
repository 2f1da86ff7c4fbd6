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
    mem,
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
    runtime::Handle,
    sync::oneshot,
    time::Instant,
};

use super::{
    Connection,
    detaching::{Kept, each_hook},
    gate::Asked,
    standing::Expiry,
};
use crate::{
    Session,
    auth::Identity,
    metrics::ResumeOutcome,
    server::shared::micros,
    session::{
        mailbox::{Claim, Claimed, Command},
        resume::{Shown, Tokens, Verdict},
    },
};

/// A client that waits for its session to be given to its connection.
pub(super) struct Return {
    answer: oneshot::Receiver<Claimed>,
    session: Arc<Session>,
    shown: Shown,
    /// Sequenced frames that it has received in it.
    received: u64,
    /// And the last of its own frames of calls that it cannot send again.
    replay_after: u64,
    /// When its handshake was over: what that has shown is as old.
    since: Instant,
}

impl Return {
    /// Ready when the session is there; `None`: it has ended.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Claimed>> {
        Pin::new(&mut self.answer).poll(cx).map(Result::ok)
    }
}

impl Drop for Return {
    /// The client has gone again, perhaps just when it was given its session: that is not to end with this connection.
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(Claimed::Session(kept)) = self.answer.try_recv()
            && let Ok(runtime) = Handle::try_current()
        {
            kept.begin_to_wait(&runtime, Instant::now());
        }
    }
}

/// What a greeting tells of resumes.
#[derive(Default)]
pub(super) struct Told {
    token: Option<String>,
    resumed: bool,
    /// With its calls.
    streams: bool,
    /// So many direct events are sent again.
    events: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Waits for the greeting of a client that says that it comes back.
    pub(super) fn await_greeting(&mut self, now: Instant) {
        if self.endpoint.auth_required && self.session.identity().is_none() {
            self.socket
                .set_limit(self.endpoint.limits.unauthenticated_message_bytes);
        }
        self.ask(Asked::Greeting(now), false, now);
    }

    /// That has come, or what should be it.
    #[cold]
    pub(super) fn handle_first(&mut self, message: Bytes, since: Instant, now: Instant) {
        self.leave_gate();
        let output = &mut self.socket.io.output;
        match self.protocol.handle_message(message, now.into_std(), output) {
            Ok(ServerEvent::Greeting(greeting)) => {
                self.is_greeted(&greeting);
                self.come_back(&greeting, since, now);
            }
            Ok(_) => {
                let reason = "the first frame of a client that comes back is its greeting";
                self.close(CloseCode::ProtocolViolated, reason);
            }
            Err(error) => self.close_for(&error),
        }
    }

    /// Looks for the session of a client that comes back, whose handshake was over at `since`.
    fn come_back(&mut self, greeting: &Greeting, since: Instant, now: Instant) {
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
        let (answer, receiver) = oneshot::channel();
        session.mailbox.send(Command::HandOver(Claim {
            user: self.session.user(),
            answer,
        }));
        // Who leaves empties the mailbox after it has said so: what was put in later stays there.
        if session.state() == crate::SessionState::Closed {
            return self.begin_instead(ResumeOutcome::Unknown, now);
        }
        let asked = Return {
            answer: receiver,
            session,
            shown,
            received: greeting.received_frames,
            replay_after: greeting.replay_after,
            since,
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
        claimed: Option<Claimed>,
        asked: &Return,
        now: Instant,
        cx: &mut TaskContext<'_>,
    ) {
        let mut kept = match claimed {
            None => return self.begin_instead(ResumeOutcome::Unknown, now),
            Some(Claimed::OfSomebodyElse) => return self.refuse_somebody_else(&asked.session),
            Some(Claimed::Session(kept)) => kept,
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
        let shown = match self.session.identity() {
            None => None,
            Some(identity) => match Expiry::of(&identity, now, &self.endpoint.limits) {
                Ok(expiry) => Some((identity, expiry)),
                Err(error) => {
                    // Good in the handshake, and not any more. The session is not to pay for it.
                    kept.begin_to_wait(&Handle::current(), now);
                    return self.close(error.close_code(), "the credential has expired");
                }
            },
        };
        self.go_on_with(kept, asked, shown, now, cx);
    }

    fn go_on_with(
        &mut self,
        mut kept: Kept,
        asked: &Return,
        shown: Option<(Identity, Option<Expiry>)>,
        now: Instant,
        cx: &mut TaskContext<'_>,
    ) {
        self.meter_turn();
        let from = self.session.info().client_addr();
        let tokens = kept.session.tokens.get();
        let knows = tokens.is_some_and(|tokens| tokens.knows_calls(&asked.shown));
        let streams = knows && self.protocol.counts_received() && kept.has_all_of_calls(asked);
        if !streams {
            // They end here, where somebody counts that.
            mem::swap(&mut self.calls, &mut kept.calls);
            self.let_go_of_calls();
        }
        if let Some(replay) = kept.socket.io.output.replay() {
            replay.resume(asked.received, streams);
            if !streams {
                // What this connection's client keeps is what counts now, and its calls begin anew.
                replay.keep_calls(0);
            }
        }
        kept.give_session_to(self);
        drop(kept);
        if streams {
            self.protocol.resume(now.into_std());
        }
        self.keep_calls();
        self.goes_on();
        self.session
            .set_answer_bytes(self.protocol.peer_limits().max_body_bytes);
        // Whoever writes to the session from now on wakes this task.
        self.session.mailbox.begin_turn(cx.waker());
        if let Some((identity, expiry)) = shown
            && !self.is_known_since(asked.since)
        {
            self.refresh(identity, expiry);
        }
        if self.identity.is_some() || !self.endpoint.auth_required {
            self.socket.set_limit(self.endpoint.limits.message_bytes);
        }
        let token = self
            .session
            .tokens
            .get()
            .map(|tokens| tokens.replace(&asked.shown, streams));
        self.endpoint.meter.resume(match streams {
            true => ResumeOutcome::Streams,
            false => ResumeOutcome::Session,
        });
        self.meter_goes_on();
        tracing::debug!(client = %self.session.id(), ?from, streams, "a session goes on over another connection");
        self.settle_state();
        self.shared.hub.on_resumed(&self.session);
        each_hook(&self.session, |hooks, session| hooks.on_resume(session));
        let told = Told {
            token,
            resumed: true,
            streams,
            events: self.socket.io.output.replay().map_or(0, |replay| replay.events()),
        };
        self.greet(&told, now);
        self.socket.io.output.write_again();
    }

    /// Has the session found by a token, where it may be resumed. What its greeting tells of that.
    pub(super) fn make_resumable(&mut self) -> Told {
        if self.endpoint.limits.resume_window.is_zero() || self.session.info().is_foreign() {
            return Told::default();
        }
        let (tokens, token) = Tokens::new();
        let listed = self.shared.list_resumable(tokens.name(), &self.session);
        // It is set once: a session is begun once.
        let _ = self.session.tokens.set(Box::new(tokens));
        self.listed = Some(Box::new(listed));
        let replay = Replay::new(self.endpoint.limits.event_queue_bytes, 0);
        self.socket.io.output.keep_for_resume(Some(Box::new(replay)));
        self.keep_calls();
        Told {
            token: Some(token),
            ..Told::default()
        }
    }

    /// Counts frames of calls from now on, where both sides keep theirs: a client has greeted.
    pub(super) fn count_calls(&mut self, greeting: &Greeting) {
        if greeting.replay_bytes > 0 && self.endpoint.limits.replay_bytes > 0 {
            let bytes = usize::try_from(greeting.replay_bytes).unwrap_or(usize::MAX);
            self.protocol.count_received(bytes);
            self.keep_calls();
        }
    }

    /// Keeps what is sent of calls from now on, where the client counts it and there is a session to be resumed.
    fn keep_calls(&mut self) {
        if self.protocol.counts_received()
            && let Some(replay) = self.socket.io.output.replay()
        {
            replay.keep_calls(self.endpoint.limits.replay_bytes);
        }
    }

    /// Whether nothing of its calls is missing on either side that cannot be sent again.
    fn has_all_of_calls(&mut self, asked: &Return) -> bool {
        let received = self.protocol.received_frames();
        let replay = self.socket.io.output.replay();
        received >= asked.replay_after && replay.is_some_and(|replay| replay.can_resume(asked.received, true))
    }

    /// Adds what the client is to know.
    pub(super) fn tell_of_resume(&self, told: &Told, greeting: &mut Greeting) {
        if let Some(token) = &told.token {
            greeting.resume_token.clone_from(token);
            greeting.resume_within_us = micros(self.endpoint.limits.resume_window);
            greeting.resumed = told.resumed;
            greeting.replay_bytes = self.endpoint.limits.replay_bytes as u64;
            greeting.streams_resumed = told.streams;
            greeting.received_frames = self.protocol.received_frames();
            greeting.events_again = told.events;
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
