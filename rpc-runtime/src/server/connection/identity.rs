//! Who the client of a connection is: how that is proved, and how it changes.
//!
//! The connection has a copy of its own of the identity that its session shows, so that calls take it without a lock. What
//! else is kept of it, and when it ends, is in `standing`.

use rpc_protocol::{
    CloseCode, Code,
    frame::{self, Authenticate, AuthenticationPurpose, End},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{super::shared::micros, Connection, log::OneLine, resuming::Told, standing::Expiry};
use crate::{
    SessionError,
    auth::{Attempt, AuthError, Credential, Identity, Purpose, Source},
    metrics::AuthenticationOutcome,
};

/// What an authenticate frame asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Authentication {
    request_id: u64,
    purpose: Purpose,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes over who was known at the handshake. `false` where the connection is closed for it.
    pub(super) fn take_over_identity(&mut self, now: Instant) -> bool {
        let Some(identity) = self.session.identity() else {
            if self.endpoint.auth_required {
                self.await_authentication(now);
                self.socket
                    .set_limit(self.endpoint.limits.unauthenticated_message_bytes);
            }
            return true;
        };
        match Expiry::of(&identity, now, &self.endpoint.limits) {
            Ok(expiry) => self.become_known(identity, expiry),
            Err(error) => {
                self.close(error.close_code(), "the credential has expired");
                false
            }
        }
    }

    /// Nobody is known where somebody has to be.
    fn await_authentication(&mut self, now: Instant) {
        let limits = &self.endpoint.limits;
        self.standing.get_or_insert_default().deadline = now.checked_add(limits.authentication_time);
        self.protocol.await_authentication(true);
    }

    /// The greeting, with what the client is to know of its identity.
    pub(super) fn greet(&mut self, told: &Told, now: Instant) {
        if let Some(standing) = &mut self.standing
            && standing.deadline.is_some()
        {
            // What hooks took is not the client's time.
            standing.deadline = now.checked_add(self.endpoint.limits.authentication_time);
        }
        if let Some(standing) = &mut self.standing {
            standing.is_other_user = false;
        }
        let mut greeting = self.shared.greeting(&self.session);
        if let Some(identity) = &self.identity {
            greeting.user_id = identity.user().to_owned();
        }
        greeting.identity_expires_in_us = self.expires_in_us(now);
        greeting.authentication_required = self.endpoint.auth_required;
        if self.endpoint.auth_required && self.identity.is_none() {
            greeting.authenticate_within_us = micros(self.endpoint.limits.authentication_time);
        }
        self.tell_of_resume(told, &mut greeting);
        self.protocol.greet(greeting, &mut self.socket.io.output);
    }

    /// The same user has shown a fresh credential.
    pub(super) fn refresh(&mut self, identity: Identity, expiry: Option<Expiry>) {
        self.standing.get_or_insert_default().expiry = expiry;
        self.set_identity(Some(identity));
    }

    /// Whether the credential by which the client is known was shown later than that.
    pub(super) fn is_known_since(&self, time: Instant) -> bool {
        let standing = self.standing.as_ref();
        standing.is_some_and(|standing| standing.known_at.is_some_and(|at| at > time))
    }

    /// The client proves who it is, or signs out.
    pub(super) fn authenticate(&mut self, authenticate: Box<Authenticate>, now: Instant) {
        if self.endpoint.authenticators.is_empty() {
            let status = frame::Status::new(Code::Unimplemented, "authentication is not served here");
            self.tell_identity(authenticate.request_id, Some(status), now);
            if let Err(error) = self.protocol.fault(now.into_std()) {
                self.close_for(&error);
            }
            return;
        }
        if let Some(gate) = &mut self.gate {
            gate.put_behind(authenticate);
            return;
        }
        let Authenticate {
            request_id,
            scheme,
            credential,
            metadata,
            purpose,
        } = *authenticate;
        let purpose = match AuthenticationPurpose::from_i32(purpose) {
            Some(AuthenticationPurpose::SignOut) => {
                self.sign_out(now);
                self.tell_identity(request_id, None, now);
                return;
            }
            Some(AuthenticationPurpose::ChangeUser) => Purpose::ChangeUser,
            _ => Purpose::Authenticate,
        };
        let standing = self.standing.get_or_insert_default();
        if !standing.shown.allows(now, self.endpoint.limits.credentials) {
            self.close(
                CloseCode::TooMuch,
                "too many credentials were shown on this connection",
            );
            return;
        }
        let credential = Credential::new(scheme, credential).with_all_metadata(metadata.into());
        let session = self.session.clone();
        let asked = async move {
            let attempt = Attempt::new(&credential, Source::InBand, purpose, &session);
            session.endpoint.authenticators.authenticate(&attempt).await
        };
        // The same user may go on while a new credential is looked at.
        let shut = purpose == Purpose::ChangeUser || self.identity.is_none();
        let authentication = Authentication { request_id, purpose };
        self.ask_authenticators(asked, authentication, shut, now);
    }

    /// The authenticators have said who shows a credential.
    pub(super) fn decide(
        &mut self,
        answer: Result<Identity, AuthError>,
        authentication: Authentication,
        now: Instant,
    ) {
        let Authentication { request_id, purpose } = authentication;
        let accepted = answer.and_then(|identity| {
            let expiry = Expiry::of(&identity, now, &self.endpoint.limits)?;
            Ok((identity, expiry))
        });
        let (identity, expiry) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return self.refuse_credential(&error, request_id, now),
        };
        match &self.identity {
            Some(known) if known.user() == identity.user() => {
                self.meter_authentication(AuthenticationOutcome::Accepted);
                self.refresh(identity, expiry);
                self.tell_identity(request_id, None, now);
            }
            Some(_) if purpose == Purpose::Authenticate => {
                self.meter_authentication(AuthenticationOutcome::SubjectChanged);
                self.close(
                    CloseCode::SubjectChanged,
                    "the credential is of another user: change the user on purpose, or sign out first",
                );
            }
            _ => {
                self.meter_authentication(AuthenticationOutcome::Accepted);
                self.end_calls_of_identity();
                if self.become_known(identity.clone(), expiry) {
                    self.ask_hooks(identity, request_id, now);
                }
            }
        }
    }

    /// The client is this user from now on. `false` where it may not be, and is closed.
    fn become_known(&mut self, identity: Identity, expiry: Option<Expiry>) -> bool {
        let Some(membership) = self.shared.join(identity.shared_user(), &self.session) else {
            self.close(
                CloseCode::TooMuch,
                "the user has as many connections as a user may have",
            );
            return false;
        };
        let standing = self.standing.get_or_insert_default();
        standing.membership = Some(membership);
        standing.expiry = expiry;
        standing.deadline = None;
        standing.is_other_user = true;
        self.socket.set_limit(self.endpoint.limits.message_bytes);
        self.protocol.await_authentication(false);
        self.set_identity(Some(identity));
        true
    }

    /// The client is nobody from now on.
    fn sign_out(&mut self, now: Instant) {
        if self.identity.is_none() {
            return;
        }
        self.end_calls_of_identity();
        if let Some(standing) = &mut self.standing {
            standing.membership = None;
            standing.expiry = None;
            standing.is_other_user = true;
        }
        self.set_identity(None);
        if self.endpoint.auth_required {
            // The limit on messages stays: what the client sends of streams may be on its way behind its sign-out, and is not to
            // cost it the connection.
            self.await_authentication(now);
        }
        self.settle_state();
    }

    fn set_identity(&mut self, identity: Option<Identity>) {
        if let Some(standing) = &mut self.standing {
            standing.known_at = identity.as_ref().map(|_| Instant::now());
        }
        self.session.set_identity(identity.clone());
        self.identity = identity;
        self.shared.hub.on_identity(&self.session);
    }

    /// A credential is not accepted: the client is told the kind, and who it is stays as it was.
    fn refuse_credential(&mut self, error: &AuthError, request_id: u64, now: Instant) {
        let client = self.session.id();
        self.meter_authentication(error.into());
        tracing::info!(%client, error = %OneLine(error), "a credential was not accepted");
        self.tell_hooks(&SessionError::Authentication(error));
        self.tell_identity(request_id, Some(error.status().to_wire()), now);
        let unavailable = matches!(error, AuthError::Unavailable(_));
        let standing = self.standing.get_or_insert_default();
        if !unavailable
            && !standing
                .refused
                .allows(now, self.endpoint.limits.refused_credentials)
        {
            self.close(
                CloseCode::TokenInvalid,
                "too many credentials were refused on this connection",
            );
        }
    }

    /// Tells the client who it is, and why an authentication was refused, where it was.
    pub(super) fn tell_identity(&mut self, request_id: u64, status: Option<frame::Status>, now: Instant) {
        let mut identity = self.identity_frame(request_id, status, now);
        if let Some(standing) = &mut self.standing
            && std::mem::take(&mut standing.is_other_user)
            && let Some(token) = self.session.tokens.get().and_then(|tokens| tokens.renew())
        {
            identity.resume_token = token;
        }
        self.protocol.identity(&identity, &mut self.socket.io.output);
    }

    pub(super) fn identity_frame(
        &self,
        request_id: u64,
        status: Option<frame::Status>,
        now: Instant,
    ) -> frame::Identity {
        frame::Identity {
            request_id,
            status,
            user_id: self
                .identity
                .as_ref()
                .map_or_else(String::new, |known| known.user().to_owned()),
            expires_in_us: self.expires_in_us(now),
            ..frame::Identity::default()
        }
    }

    /// Ends the running calls that were begun for the identity which is about to go, each with exactly one end. Others,
    /// which anybody may call, go on.
    pub(super) fn end_calls_of_identity(&mut self) {
        if self.identity.is_none() {
            return;
        }
        let end = End::new(
            Code::Unauthenticated,
            "the identity that the call was begun with has ended",
        );
        for stream_id in self.calls.of_users(self.endpoint.auth_required) {
            let Some(cancelled) = self.calls.cancel(stream_id, Code::Unauthenticated) else {
                continue;
            };
            self.session.counters.failed_call();
            self.meter_call(cancelled.measured, Code::Unauthenticated);
            self.count_one_way_failure(cancelled.one_way);
            // What is over the client's limit has been cut to its code.
            let _ = self
                .protocol
                .end_running(stream_id, &end, &mut self.socket.io.output);
            if !cancelled.is_ending {
                self.protocol.finished(stream_id);
            }
        }
    }
}
