//! Who connects: the handshake's credential, shown to the endpoint's authenticators.

use std::sync::Arc;

use http::HeaderMap;
use rpc_protocol::CloseCode;
use tokio::time::{Instant, timeout_at};

use super::{
    credentials::{self, Problem},
    refusal::Refusal,
};
use crate::{
    Session,
    auth::{Attempt, AuthError, Identity, Purpose},
    dispatch::panics,
    metrics::AuthenticationOutcome,
    server::shared::later,
};

/// Why a client is not let in.
#[derive(Debug)]
pub(super) enum Denial {
    /// Its handshake does not say who it is in a way that could be looked at.
    Ambiguous(Refusal),
    /// Its credential is not accepted, or cannot be looked at now.
    Credential(AuthError),
    /// An authenticator panicked.
    Panicked,
}

impl Denial {
    /// How it is told to one that sees no HTTP status: a mistake of the program that connects is told by HTTP alone.
    pub(super) fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Ambiguous(_) => None,
            Self::Credential(error) => Some(error.close_code()),
            Self::Panicked => Some(CloseCode::InternalError),
        }
    }

    /// What goes with the code.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) | Self::Credential(AuthError::UnknownScheme | AuthError::Invalid(_)) => {
                "the credential is not accepted"
            }
            Self::Credential(AuthError::Expired) => "the credential has expired",
            Self::Credential(AuthError::Unavailable(_)) => "the credential cannot be checked now",
            Self::Panicked => "the credential could not be checked",
        }
    }

    /// How it is told to all others.
    pub(super) fn refusal(&self) -> Refusal {
        match self {
            Self::Ambiguous(refusal) => *refusal,
            Self::Credential(AuthError::UnknownScheme | AuthError::Invalid(_)) => {
                Refusal::Unauthenticated { expired: false }
            }
            Self::Credential(AuthError::Expired) => Refusal::Unauthenticated { expired: true },
            Self::Credential(AuthError::Unavailable(_)) => Refusal::CannotAuthenticate,
            Self::Panicked => Refusal::AuthenticatorPanicked,
        }
    }
}

/// Who a handshake says that it is; `None` where it says nothing, or nobody here could tell.
pub(super) async fn authenticate(
    headers: &HeaderMap,
    session: &Arc<Session>,
    until: Instant,
) -> Result<Option<Identity>, Denial> {
    let endpoint = &session.endpoint;
    if endpoint.authenticators.is_empty() {
        return Ok(None);
    }
    let denied = |denial: Denial, why: &str| {
        let why: String = why.chars().take(200).collect();
        tracing::info!(client = %session.id(), "not let in: {}", why.escape_debug());
        denial
    };
    let (credential, source) = match credentials::find(headers, endpoint.auth_cookie.as_deref()) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(Problem::Malformed(why)) => {
            return Err(denied(Denial::Credential(AuthError::invalid(why)), why));
        }
        Err(Problem::Two) => {
            let denial = Denial::Ambiguous(Refusal::TwoCredentials);
            return Err(denied(denial, "two credentials that are not the same"));
        }
        Err(Problem::CookieWithoutOrigin) => {
            let denial = Denial::Ambiguous(Refusal::CookieWithoutOrigin);
            return Err(denied(denial, "a cookie as the credential, and no origin"));
        }
    };
    let attempt = Attempt::new(&credential, source, Purpose::Authenticate, session);
    let until = until.min(later(endpoint.limits.authentication_time));
    let asked = timeout_at(
        until,
        panics::caught(endpoint.authenticators.authenticate(&attempt)),
    )
    .await;
    endpoint.meter.authentication(
        source,
        match &asked {
            Ok(Ok(Ok(_))) => AuthenticationOutcome::Accepted,
            Ok(Ok(Err(error))) => error.into(),
            Ok(Err(_)) => AuthenticationOutcome::Panicked,
            Err(_) => AuthenticationOutcome::Unavailable,
        },
    );
    match asked {
        Ok(Ok(Ok(identity))) => Ok(Some(identity)),
        Ok(Ok(Err(error))) => {
            let why = error.to_string();
            Err(denied(Denial::Credential(error), &why))
        }
        Ok(Err(panic)) => {
            tracing::error!(client = %session.id(), panic, "an authenticator panicked");
            Err(Denial::Panicked)
        }
        Err(_) => {
            let why = "the authenticator took too long";
            Err(denied(Denial::Credential(AuthError::unavailable(why)), why))
        }
    }
}
