//! Why a call did not succeed.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use rpc_protocol::{CloseCode, Code};

use crate::Status;

/// Why a call, or connecting, did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There is no connection: nobody listens, or the server does not let this client in. The call has not run.
    #[error(transparent)]
    Refused(Refused),
    /// The connection ended before the outcome was there, or the client was closed.
    #[error(transparent)]
    Closed(Closed),
    /// The call's timeout is over. It was cancelled, and may have run.
    #[error("the call took longer than {0:?}")]
    TimedOut(Duration),
    /// The server, or a check on this side, answered with a status.
    #[error(transparent)]
    Status(#[from] Status),
}

impl CallError {
    /// The code that a status of this kind has: the status' own, DEADLINE_EXCEEDED after the timeout, and without a
    /// connection UNAVAILABLE, but UNAUTHENTICATED where the server wants another credential (HTTP 401, closed with 4500 or
    /// 4505), and PERMISSION_DENIED where it lets nobody in who comes this way (HTTP 403).
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Self::Refused(refused) => match refused.kind() {
                RefusedKind::Http(401) => Code::Unauthenticated,
                RefusedKind::Http(403) => Code::PermissionDenied,
                _ => Code::Unavailable,
            },
            Self::Closed(closed) => match closed.close_code() {
                CloseCode::TokenInvalid | CloseCode::AuthenticationMissing => Code::Unauthenticated,
                _ => Code::Unavailable,
            },
            Self::TimedOut(_) => Code::DeadlineExceeded,
            Self::Status(status) => status.code(),
        })
    }

    /// The status, where there is one.
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the server may have run the call. Where it has not, calling again is safe whatever the call does.
    ///
    /// A status says by its code what the server did; here it counts as if the call had run.
    pub fn may_have_run(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Closed(closed) => closed.may_have_run(),
            Self::TimedOut(_) | Self::Status(_) => true,
        }
    }

    /// The same as a status, for those who want all errors to be one.
    pub fn into_status(self) -> Status {
        match self {
            Self::Status(status) => status,
            Self::TimedOut(_) => Status::deadline_exceeded(self.to_string()),
            Self::Refused(_) | Self::Closed(_) => {
                let code = self.code().unwrap_or(Code::Unavailable);
                Status::new(code, self.to_string()).with_cause(self)
            }
        }
    }
}

/// A connection that did not come about.
#[derive(Clone)]
pub struct Refused(Arc<RefusedBecause>);

/// With its sentence, because that is what a `main` prints which returns it.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refused").field(&format_args!("{self}")).finish()
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusedKind {
    /// The URL is none that this client can connect to.
    BadUrl,
    /// A header that was given cannot stand in HTTP.
    BadHeader,
    /// One of the [`ClientLimits`](crate::ClientLimits) is one with which nothing works.
    BadLimit,
    /// Nobody listens there, or the network does not lead there.
    Unreachable,
    /// TLS did not come about: the server's certificate is not trusted, or it speaks no TLS.
    Tls,
    /// TLS did not come about because of the client's own certificate (`ClientBuilder::tls_certificate`): the server asks for one and
    /// was shown none, does not take the one that it was shown, or what the client was given cannot be used.
    ClientCertificate,
    /// The server refused the upgrade with this HTTP status.
    Http(u16),
    /// What answers is no server of this protocol.
    NotThisProtocol,
    /// The program's [`CredentialProvider`](crate::CredentialProvider) gave no credential.
    NoCredential,
    /// There was no answer in time.
    TimedOut,
    /// The connection was lost, and the client waits before it comes back.
    Disconnected,
    /// The server goes away, and this connection is not replaced by another.
    GoingAway,
}

impl RefusedKind {
    /// Whether the next attempt would meet the same.
    pub(super) fn is_final(self) -> bool {
        match self {
            Self::BadUrl | Self::BadHeader | Self::BadLimit => true,
            // What 4500 and 4505 say to a browser: without another identity there is no way in.
            Self::Http(status) => matches!(status, 401 | 403),
            _ => false,
        }
    }
}

#[derive(Debug)]
struct RefusedBecause {
    kind: RefusedKind,
    /// Where to; empty for a connector's connections.
    url: String,
    text: String,
    retry_after: Option<Duration>,
    /// The credential was right once.
    expired: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Refused {
    pub(super) fn new(kind: RefusedKind, url: &str, text: impl Into<String>) -> Self {
        Self(Arc::new(RefusedBecause {
            kind,
            url: shown(url),
            text: text.into(),
            retry_after: None,
            expired: false,
            source: None,
        }))
    }

    pub(super) fn because(
        kind: RefusedKind,
        url: &str,
        text: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(RefusedBecause {
            kind,
            url: shown(url),
            text: text.into(),
            retry_after: None,
            expired: false,
            source: Some(source.into()),
        }))
    }

    /// The server answered the upgrade with another status than 101. `said`: what it said in words. `expired`: because the credential has
    /// expired.
    pub(super) fn http(
        url: &str,
        status: http::StatusCode,
        said: Option<String>,
        retry_after: Option<Duration>,
        expired: bool,
    ) -> Self {
        let said = said.map_or_else(String::new, |said| format!(": {said}"));
        Self(Arc::new(RefusedBecause {
            kind: RefusedKind::Http(status.as_u16()),
            url: shown(url),
            text: format!("the server answered with HTTP status {status}{said}"),
            retry_after,
            expired,
            source: None,
        }))
    }

    /// Whether the credential was right once, so that a fresh one may do.
    pub(super) fn is_expired(&self) -> bool {
        self.0.expired
    }

    /// What stood in the way.
    pub fn kind(&self) -> RefusedKind {
        self.0.kind
    }

    /// The status with which the server answered the upgrade, such as 503, where it did.
    pub fn http_status(&self) -> Option<u16> {
        match self.0.kind {
            RefusedKind::Http(status) => Some(status),
            _ => None,
        }
    }

    /// How long the server asks to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

/// A URL without what may be a secret: a user's name and password, and the query, which may hold a token.
fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RefusedBecause { url, text, .. } = &*self.0;
        match url.is_empty() {
            true => write!(f, "cannot connect: {text}"),
            false => write!(f, "cannot connect to {url}: {text}"),
        }
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// How a connection ended.
#[derive(Debug, Clone)]
pub struct Closed {
    inner: Arc<(CloseCode, String)>,
    /// Whether the call that this is the end of had been sent.
    sent: bool,
}

impl Closed {
    pub(super) fn new(code: CloseCode, reason: impl Into<String>) -> Self {
        Self {
            inner: Arc::new((code, reason.into())),
            sent: true,
        }
    }

    /// The same, for a call that was not sent.
    pub(super) fn before_sending(mut self) -> Self {
        self.sent = false;
        self
    }

    /// The close code: the server's, ours, or [`CloseCode::Abnormal`] when the connection just broke.
    pub fn close_code(&self) -> CloseCode {
        self.inner.0
    }

    /// What was said with the code; for people.
    pub fn reason(&self) -> &str {
        &self.inner.1
    }

    /// Whether the call that ended by it may have run: it was sent before.
    pub fn may_have_run(&self) -> bool {
        self.sent
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was closed with {}", self.close_code())?;
        if self.reason().is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.reason())
        }
    }
}

impl Error for Closed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_shows_no_secret_of_its_url() {
        for (url, expected) in [
            ("ws://127.0.0.1:3000/rpc", "ws://127.0.0.1:3000/rpc"),
            (
                "wss://ada:secret@example.com/rpc?token=secret#secret",
                "wss://example.com/rpc",
            ),
            ("wss://example.com?token=secret", "wss://example.com"),
            ("no URL", "no URL"),
        ] {
            let refused = Refused::new(RefusedKind::TimedOut, url, "no answer");
            assert_eq!(
                refused.to_string(),
                format!("cannot connect to {expected}: no answer")
            );
        }
    }
}
