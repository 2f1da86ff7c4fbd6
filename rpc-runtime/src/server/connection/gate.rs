//! The gate: what a client waits for before its calls begin.
//!
//! At the gate a future is polled by the connection's task: the hooks of a connect, an authenticator, the hooks of a user
//! who has become known. There is at most one at a time. While it decides who the client is, nothing that the client sends
//! is looked at, so that calls which it sent behind a credential run under it. Running calls and streams go on all the
//! while.
//!
//! ```text
//!  connect ──▶ hooks of the connect ──▶ greeting ──▶ open ◀───────────────────────────┐
//!                                                     │ authenticate                  │ refused, or the same user,
//!                                                     ▼                               │ or nobody has hooks
//!                                              authenticator ─────────────────────────┤
//!                                                     │ another user                  │
//!                                                     ▼                               │
//!                                              hooks of the user ─────────────────────┘
//! ```
//!
//! Without hooks and without authentication there is no gate: no future, no allocation, no timer.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context as TaskContext, Poll},
};

use rpc_protocol::{CloseCode, frame::Authenticate};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{Connection, Phase, identity::Authentication, reading::Read, resuming::Return};
use crate::{
    Refusal, Session, SessionState,
    auth::{AuthError, Identity},
    dispatch::panics,
    session::mailbox::Claimed,
    transport::websocket::Incoming,
};

/// So much is read from the socket while the gate is shut, to see its end; it is looked at later.
const READ_AHEAD: usize = 16 * 1024;

/// Somebody at the gate.
pub(super) struct Gate {
    asked: Asked,
    /// When the answer has to be there, where the clock can hold that.
    until: Option<Instant>,
    /// Who the client is, is in question: nothing that it sends is looked at.
    shut: bool,
    /// Another authentication that has come meanwhile. With it, nothing is looked at either.
    behind: Option<Box<Authenticate>>,
}

/// Who is asked.
pub(super) enum Asked {
    /// The client itself, for its greeting, since its handshake was over: it says that it comes back.
    Greeting(Instant),
    /// Whoever has the session to which the client comes back.
    Session(Box<Return>),
    /// The hooks, whether the client is let in.
    Connect(Later<Result<(), Refusal>>),
    /// The authenticators, who it is that shows a credential.
    Credential(Later<Result<Identity, AuthError>>, Authentication),
    /// The hooks, about a user that has become known by the authentication with this request id.
    User(Later<Result<(), Refusal>>, u64),
}

/// What is waited for at the gate.
type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What has come of it.
enum Answer {
    /// The client's greeting has not come in time.
    Silence,
    /// The session, unless it has ended or is not to be had.
    Session(Option<Claimed>),
    Connect(Result<Result<(), Refusal>, Unanswered>),
    Credential(Result<Result<Identity, AuthError>, Unanswered>, Authentication),
    User(Result<Result<(), Refusal>, Unanswered>, u64),
}

/// Why there is no answer.
enum Unanswered {
    Late,
    Panicked(String),
}

impl Gate {
    /// Whether nothing that the client sends is looked at.
    pub(super) fn is_shut(&self) -> bool {
        self.shut || self.behind.is_some()
    }

    /// When the answer has to be there.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Where the session stands meanwhile, where that is not decided by its identity.
    pub(super) fn state(&self) -> Option<SessionState> {
        match self.asked {
            Asked::Connect(_) | Asked::Greeting(_) | Asked::Session(_) => Some(SessionState::Connecting),
            _ if self.shut => Some(SessionState::Authenticating),
            _ => None,
        }
    }

    /// Whether the client has not been greeted yet.
    pub(super) fn is_of_connect(&self) -> bool {
        matches!(
            self.asked,
            Asked::Connect(_) | Asked::Greeting(_) | Asked::Session(_)
        )
    }

    /// Since when the client's own greeting is waited for, where it is.
    pub(super) fn awaits_greeting(&self) -> Option<Instant> {
        match self.asked {
            Asked::Greeting(since) => Some(since),
            _ => None,
        }
    }

    /// Lets another authentication wait.
    pub(super) fn put_behind(&mut self, authenticate: Box<Authenticate>) {
        self.behind = Some(authenticate);
    }

    fn poll(&mut self, now: Instant, cx: &mut TaskContext<'_>) -> Poll<Answer> {
        let late = self.until.is_some_and(|until| now >= until);
        match &mut self.asked {
            Asked::Greeting(_) if late => Poll::Ready(Answer::Silence),
            Asked::Greeting(_) => Poll::Pending,
            Asked::Session(asked) => match asked.poll(cx) {
                Poll::Pending if late => Poll::Ready(Answer::Session(None)),
                answer => answer.map(Answer::Session),
            },
            Asked::Connect(hooks) => poll(hooks, late, cx).map(Answer::Connect),
            Asked::Credential(identity, authentication) => {
                poll(identity, late, cx).map(|answer| Answer::Credential(answer, *authentication))
            }
            Asked::User(hooks, request_id) => {
                poll(hooks, late, cx).map(|answer| Answer::User(answer, *request_id))
            }
        }
    }
}

fn poll<T>(asked: &mut Later<T>, late: bool, cx: &mut TaskContext<'_>) -> Poll<Result<T, Unanswered>> {
    match panics::catch(|| asked.as_mut().poll(cx)) {
        Ok(Poll::Ready(answer)) => Poll::Ready(Ok(answer)),
        Ok(Poll::Pending) if late => Poll::Ready(Err(Unanswered::Late)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(Unanswered::Panicked(panic))),
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Lets the client in, or asks the hooks whether it is to be.
    pub(super) fn enter(&mut self, now: Instant) {
        if !self.take_over_identity(now) {
            return;
        }
        if self.endpoint.hooks.is_empty() {
            self.let_in(now);
        } else {
            let hooks = connecting(self.session.clone(), self.identity.clone());
            self.ask(Asked::Connect(Box::pin(hooks)), true, now);
        }
    }

    /// Asks the authenticators who it is that shows a credential.
    pub(super) fn ask_authenticators(
        &mut self,
        identity: impl Future<Output = Result<Identity, AuthError>> + Send + 'static,
        authentication: Authentication,
        shut: bool,
        now: Instant,
    ) {
        self.ask(Asked::Credential(Box::pin(identity), authentication), shut, now);
    }

    /// Asks the hooks about a user that has become known, where there are any; then tells the client.
    pub(super) fn ask_hooks(&mut self, identity: Identity, request_id: u64, now: Instant) {
        if self.endpoint.hooks.is_empty() {
            self.tell_identity(request_id, None, now);
        } else {
            let hooks = becoming_known(self.session.clone(), identity);
            self.ask(Asked::User(Box::pin(hooks), request_id), true, now);
        }
    }

    pub(super) fn ask(&mut self, asked: Asked, shut: bool, now: Instant) {
        self.gate = Some(Box::new(Gate {
            asked,
            until: now.checked_add(self.endpoint.limits.authentication_time),
            shut,
            behind: None,
        }));
        self.settle_state();
    }

    /// Whether nothing that the client sends is to be looked at.
    #[inline]
    pub(super) fn is_shut(&self) -> bool {
        self.gate.as_ref().is_some_and(|gate| gate.is_shut())
    }

    /// Goes on with what is asked at the gate. What was sent behind it is looked at in the next turn, which others have
    /// theirs before.
    pub(super) fn poll_gate(&mut self, now: Instant, cx: &mut TaskContext<'_>) {
        let Some(gate) = &mut self.gate else { return };
        let Poll::Ready(answer) = gate.poll(now, cx) else {
            return;
        };
        let was_shut = self.is_shut();
        let Some(gate) = self.gate.take() else { return };
        let Gate { asked, behind, .. } = *gate;
        let asked = match asked {
            Asked::Session(asked) => Some(asked),
            asked => {
                panics::drop_quietly(asked);
                None
            }
        };
        match answer {
            Answer::Silence => {
                let reason = "the greeting of a client that comes back has not come in time";
                self.close(CloseCode::TooSlow, reason);
            }
            Answer::Session(session) => {
                if let Some(asked) = asked {
                    self.return_to(session, &asked, now, cx);
                }
            }
            Answer::Connect(answer) => {
                if self.admits(answer) {
                    self.let_in(now);
                }
            }
            Answer::User(answer, request_id) => {
                if self.admits(answer) {
                    self.tell_identity(request_id, None, now);
                }
            }
            Answer::Credential(answer, authentication) => {
                let answer = answer.unwrap_or_else(|unanswered| {
                    Err(AuthError::unavailable(match unanswered {
                        Unanswered::Late => "the authenticator has not answered in time".to_owned(),
                        Unanswered::Panicked(panic) => format!("the authenticator has panicked: {panic}"),
                    }))
                });
                self.decide(answer, authentication, now);
            }
        }
        if let Some(behind) = behind
            && !matches!(self.phase, Phase::Closing(_))
        {
            self.authenticate(behind, now);
        }
        self.settle_state();
        if was_shut && !self.is_shut() {
            // Nothing was heard of the peer because nothing was listened to.
            self.protocol.handle_activity(now.into_std());
        }
        self.yields = true;
    }

    /// What hooks say of a client. Where they do not let it in, it is closed.
    fn admits(&mut self, answer: Result<Result<(), Refusal>, Unanswered>) -> bool {
        let client = self.session.id();
        let (code, reason) = match answer {
            Ok(Ok(())) => return true,
            Ok(Err(refusal)) => (refusal.code, refusal.reason),
            Err(Unanswered::Late) => {
                tracing::warn!(%client, "hooks have not let a client in in time");
                let reason = "the server takes too long to let the client in";
                (CloseCode::TryAgainLater, reason.to_owned())
            }
            Err(Unanswered::Panicked(panic)) => {
                tracing::error!(%client, panic, "a hook panicked");
                let reason = "the server failed to let the client in";
                (CloseCode::InternalError, reason.to_owned())
            }
        };
        self.close(code, &reason);
        false
    }

    /// Greets a client that was let in.
    fn let_in(&mut self, now: Instant) {
        let told = self.make_resumable();
        self.greet(&told, now);
        self.shared.hub.on_greeted(&self.session);
        self.settle_state();
    }

    /// Looks for the socket's end while the gate is shut. What comes waits, and only so much.
    pub(super) fn look_ahead(&mut self, cx: &mut TaskContext<'_>) -> Read {
        while self.socket.io.unread().len() < READ_AHEAD {
            match self.socket.poll_fill(cx) {
                Poll::Ready(Ok(0)) => return self.ended_at_gate(),
                Poll::Ready(Ok(count)) => self.session.counters.received(count),
                Poll::Ready(Err(error)) => return self.broken(Some(&error)),
                Poll::Pending => break,
            }
        }
        Read::Shut
    }

    /// The socket has ended while the gate was shut. Perhaps with a close frame, behind what is not looked at any more.
    fn ended_at_gate(&mut self) -> Read {
        loop {
            match self.socket.read() {
                Ok(Incoming::Close(frame)) => {
                    self.closed_by_peer(frame);
                    return Read::Closing;
                }
                Ok(_) => {}
                Err(_) => return self.broken(None),
            }
        }
    }
}

impl<S> Connection<S> {
    /// Nothing is asked any more. Gives the authentication that waited.
    pub(super) fn leave_gate(&mut self) -> Option<Box<Authenticate>> {
        let gate = *self.gate.take()?;
        panics::drop_quietly(gate.asked);
        gate.behind
    }

    /// Has the session's state say where the connection stands.
    pub(super) fn settle_state(&self) {
        if self.handed_over {
            return;
        }
        let of_gate = self.gate.as_ref().and_then(|gate| gate.state());
        let state = match (&self.phase, of_gate) {
            (Phase::Closing(_), _) => SessionState::Closed,
            (Phase::Draining(_), _) => SessionState::Draining,
            (Phase::Detached(_), _) => SessionState::Detached,
            (Phase::Open, Some(state)) => state,
            (Phase::Open, None) if self.identity.is_some() => SessionState::Authenticated,
            (Phase::Open, None) => SessionState::Anonymous,
        };
        self.session.set_state(state);
    }
}

/// Asks all hooks whether a client is to be let in, and then about its user, where one is known already.
async fn connecting(session: Arc<Session>, identity: Option<Identity>) -> Result<(), Refusal> {
    for hooks in session.endpoint.hooks.iter() {
        hooks.on_connect(&session).await?;
        session.let_in.fetch_add(1, Ordering::Relaxed);
    }
    match identity {
        Some(identity) => becoming_known(session, identity).await,
        None => Ok(()),
    }
}

/// Asks all hooks about a user that has become known.
async fn becoming_known(session: Arc<Session>, identity: Identity) -> Result<(), Refusal> {
    for hooks in session.endpoint.hooks.iter() {
        hooks.on_authenticated(&session, &identity).await?;
    }
    Ok(())
}
