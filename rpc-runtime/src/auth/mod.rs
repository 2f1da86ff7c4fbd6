#![doc = include_str!("../../docs/authentication.md")]

mod credential;
mod erased;
mod error;
mod identity;
#[cfg(feature = "jwt")]
pub mod jwt;

use std::{future::Future, sync::Arc};

pub use credential::Credential;
pub(crate) use erased::Authenticators;
pub use error::AuthError;
pub(crate) use error::says_expired;
pub use identity::Identity;

use crate::{ConnectInfo, Session};

/// Tells who shows a credential.
///
/// Several may be registered; each is asked in the order of registration until one does not answer
/// [`AuthError::UnknownScheme`].
///
/// ```
/// use rpc_runtime::auth::{Attempt, AuthError, Authenticator, Identity};
///
/// /// Accepts the passwords that it knows.
/// struct Passwords;
///
/// impl Authenticator for Passwords {
///     async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
///         if attempt.credential().scheme() != "password" {
///             return Err(AuthError::UnknownScheme);
///         }
///         match attempt.credential().secret() {
///             b"open sesame" => Ok(Identity::new("ali").with_role("thief")),
///             _ => Err(AuthError::invalid("no such password")),
///         }
///     }
/// }
/// # let _ = rpc_runtime::Server::builder().authenticator(Passwords);
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// Looks at a credential.
    ///
    /// What it leaves in the session's attributes stays there, whatever it answers. The future is dropped when the
    /// client goes away, or when [`Limits::authentication_time`](crate::Limits::authentication_time) is over.
    ///
    /// # Errors
    ///
    /// Why nobody is known by it. The client is told the kind, and nothing of the cause, which goes to the log.
    fn authenticate(&self, attempt: &Attempt<'_>)
    -> impl Future<Output = Result<Identity, AuthError>> + Send;
}

/// A client that shows a credential.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    credential: &'a Credential,
    source: Source,
    purpose: Purpose,
    session: &'a Arc<Session>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(
        credential: &'a Credential,
        source: Source,
        purpose: Purpose,
        session: &'a Arc<Session>,
    ) -> Self {
        Self {
            credential,
            source,
            purpose,
            session,
        }
    }

    /// What it shows.
    pub fn credential(&self) -> &'a Credential {
        self.credential
    }

    /// Where the credential came from.
    pub fn source(&self) -> Source {
        self.source
    }

    /// What the client wants.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The client's session, whose attributes may be set.
    pub fn session(&self) -> &'a Arc<Session> {
        self.session
    }

    /// How the client connects: its address, path, query and headers.
    pub fn request(&self) -> &'a ConnectInfo {
        self.session.info()
    }
}

/// Where a credential came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The header `Authorization` of the handshake.
    Header,
    /// The cookie that [`Endpoint::auth_cookie`](crate::Endpoint::auth_cookie) names.
    Cookie,
    /// A subprotocol that the handshake offered.
    Subprotocol,
    /// A frame on the live connection.
    InBand,
}

/// What a client wants by authenticating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// To be known, or to stay known as the same user for longer.
    Authenticate,
    /// To become another user.
    ChangeUser,
}
