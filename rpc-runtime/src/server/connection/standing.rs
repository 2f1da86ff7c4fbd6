//! What is kept of a client's identity, and when that ends.
//!
//! It takes memory only where somebody is known or has to become so. How somebody becomes known is in `identity`.

use std::time::SystemTime;

use rpc_protocol::CloseCode;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};

use super::{
    super::{shared::micros, users::Membership},
    Connection,
};
use crate::{
    Limits,
    auth::{AuthError, Identity},
    transport::lately::Lately,
};

/// What is kept of the client's identity beside itself.
#[derive(Default)]
pub(super) struct Standing {
    /// When the credential was accepted by which somebody is known.
    pub(super) known_at: Option<Instant>,
    /// When the identity ends; `None`: never, or there is none.
    pub(super) expiry: Option<Expiry>,
    /// When somebody has to be known.
    pub(super) deadline: Option<Instant>,
    /// Credentials that were shown, and those of them that were refused.
    pub(super) shown: Lately,
    pub(super) refused: Lately,
    /// The place among the user's connections.
    pub(super) membership: Option<Membership>,
    /// The user is another one, and the client was not told: with that it is given another resume token.
    pub(super) is_other_user: bool,
}

/// When an identity ends: computed once by the wall clock, and then by one that nobody moves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expiry {
    pub(super) at: Instant,
    /// When the client is told before; `None` once it was.
    warn: Option<Instant>,
}

impl Expiry {
    /// `None`: never, or so late that the clock cannot hold it.
    pub(super) fn of(identity: &Identity, now: Instant, limits: &Limits) -> Result<Option<Self>, AuthError> {
        let Some(expires) = identity.expires() else {
            return Ok(None);
        };
        let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
        if left.is_zero() {
            return Err(AuthError::Expired);
        }
        Ok(now.checked_add(left).map(|at| Self {
            at,
            warn: at.checked_sub(limits.expiry_warning.min(left / 2)),
        }))
    }
}

/// What is due.
enum Due {
    Warning,
    Expired,
    NobodyKnown,
}

impl Standing {
    /// What is due next, and when. Whoever has shown a credential, which is looked at, has done so in time.
    fn next(&self, asked: bool, limits: &Limits) -> Option<(Instant, Due)> {
        if let Some(deadline) = self.deadline {
            return Some((deadline, Due::NobodyKnown)).filter(|_| !asked);
        }
        let expiry = self.expiry?;
        match expiry.warn {
            Some(warn) => Some((warn, Due::Warning)),
            None => Some((expiry.at.checked_add(limits.expiry_grace)?, Due::Expired)),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// When the identity ends for good, its grace over; `None`: never.
    pub(super) fn identity_ends(&self) -> Option<Instant> {
        let expiry = self.standing.as_ref()?.expiry?;
        expiry.at.checked_add(self.endpoint.limits.expiry_grace)
    }

    /// Microseconds until the identity ends; 0: never.
    pub(super) fn expires_in_us(&self, now: Instant) -> u64 {
        match self.standing.as_ref().and_then(|standing| standing.expiry) {
            // What has ended is not to be taken for what never does.
            Some(expiry) => micros(expiry.at.saturating_duration_since(now)).max(1),
            None => 0,
        }
    }

    /// Does what the identity's end, or its want, asks for now.
    pub(super) fn expire_identity(&mut self, now: Instant) {
        let Some((_, due)) = self.next_of_identity().filter(|(at, _)| now >= *at) else {
            return;
        };
        match due {
            Due::NobodyKnown => {
                self.close(
                    CloseCode::AuthenticationMissing,
                    "the client has not authenticated in time",
                );
            }
            Due::Expired => {
                self.end_calls_of_identity();
                self.close(
                    CloseCode::TokenExpired,
                    "the identity has ended and was not refreshed",
                );
            }
            Due::Warning => {
                if let Some(Standing {
                    expiry: Some(expiry), ..
                }) = self.standing.as_deref_mut()
                {
                    expiry.warn = None;
                }
                let mut identity = self.identity_frame(0, None, now);
                identity.expires_soon = true;
                self.protocol.identity(&identity, &mut self.socket.io.output);
            }
        }
    }

    /// When the identity, or its want, asks for something.
    pub(super) fn identity_due(&self) -> Option<Instant> {
        self.next_of_identity().map(|(at, _)| at)
    }

    fn next_of_identity(&self) -> Option<(Instant, Due)> {
        self.standing
            .as_ref()?
            .next(self.gate.is_some(), &self.endpoint.limits)
    }
}
