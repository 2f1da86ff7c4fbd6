//! Why a credential was not accepted.

use crate::{
    CloseCode, Status,
    status::{BoxError, ErrorInfo},
};

/// The reason, in an [`ErrorInfo`] of this wire's domain, by which a program tells that a credential has expired.
const EXPIRED: &str = "CREDENTIAL_EXPIRED";

/// Why a credential was not accepted. Its text goes to the log; the client is told the kind alone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// Nobody here knows credentials of this scheme: the next authenticator is asked.
    #[error("no authenticator knows the scheme")]
    UnknownScheme,
    /// The credential is wrong: HTTP 401, close 4500, or UNAUTHENTICATED on a live connection.
    #[error("the credential is not valid: {0}")]
    Invalid(#[source] BoxError),
    /// The credential was right once: HTTP 401, close 4401, after which a client may come back with a new one.
    #[error("the credential has expired")]
    Expired,
    /// It cannot be told now, because something that is needed does not answer: HTTP 503, close 1013, UNAVAILABLE.
    #[error("the credential cannot be checked now: {0}")]
    Unavailable(#[source] BoxError),
}

impl AuthError {
    /// A credential that is wrong, and why.
    pub fn invalid(why: impl Into<BoxError>) -> Self {
        Self::Invalid(why.into())
    }

    /// A credential that cannot be checked now, and why.
    pub fn unavailable(why: impl Into<BoxError>) -> Self {
        Self::Unavailable(why.into())
    }

    /// What a client on a live connection is told.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::UnknownScheme => {
                Status::unauthenticated("credentials of this scheme are not accepted here")
            }
            Self::Invalid(_) => Status::unauthenticated("the credential is not valid"),
            Self::Expired => Status::unauthenticated("the credential has expired").with_detail(&ErrorInfo {
                reason: EXPIRED.to_owned(),
                domain: rpc_protocol::SUBPROTOCOL.to_owned(),
                ..ErrorInfo::default()
            }),
            Self::Unavailable(_) => {
                Status::unavailable("the credential cannot be checked now: try again later")
            }
        }
    }

    /// How a handshake that was accepted only to tell is closed.
    pub(crate) fn close_code(&self) -> CloseCode {
        match self {
            Self::UnknownScheme | Self::Invalid(_) => CloseCode::TokenInvalid,
            Self::Expired => CloseCode::TokenExpired,
            Self::Unavailable(_) => CloseCode::TryAgainLater,
        }
    }
}

/// Whether a status says that a credential was right once, so that a fresh one may do.
pub(crate) fn says_expired(status: &Status) -> bool {
    status
        .details::<ErrorInfo>()
        .any(|info| info.reason == EXPIRED && info.domain == rpc_protocol::SUBPROTOCOL)
}
