//! What is said to a request that is not upgraded.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::{metrics::HandshakeOutcome, random};

/// What is over for now may be tried again after so long at most: clients that were refused together come back apart.
const SOON: Duration = Duration::from_secs(5);

/// Why a request is not upgraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Refusal {
    /// No endpoint has this path.
    NoSuchPath,
    /// It asks for no upgrade to WebSocket.
    NotAnUpgrade,
    /// It asks for another version of WebSocket.
    WebSocketVersion,
    /// The client's key is none.
    WebSocketKey,
    /// It has a body.
    Body,
    /// A subprotocol would have to be echoed that cannot stand in a header.
    Subprotocol,
    /// A page of another origin.
    Origin,
    /// A cookie that identifies, and no origin that says whose page sends it.
    CookieWithoutOrigin,
    /// Two credentials that are not the same.
    TwoCredentials,
    /// The credential is not accepted.
    Unauthenticated {
        /// It was right once.
        expired: bool,
    },
    /// The credential cannot be checked now.
    CannotAuthenticate,
    /// An authenticator panicked.
    AuthenticatorPanicked,
    /// The server is stopping.
    Stopping,
    /// There are as many connections as there may be.
    Full,
    /// There are as many of its address as there may be.
    FullForAddress,
    /// The client has closed its end.
    GivenUp,
    /// Its address connects too often.
    TooOften {
        /// When it may again.
        after: Duration,
    },
    /// Too many connect at once.
    Crowd {
        /// When it is its turn.
        after: Duration,
    },
}

impl Refusal {
    pub(in crate::server) fn status(self) -> StatusCode {
        match self {
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::NotAnUpgrade | Self::WebSocketVersion => StatusCode::UPGRADE_REQUIRED,
            Self::WebSocketKey | Self::Body | Self::Subprotocol | Self::TwoCredentials => {
                StatusCode::BAD_REQUEST
            }
            Self::Origin | Self::CookieWithoutOrigin => StatusCode::FORBIDDEN,
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::AuthenticatorPanicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::CannotAuthenticate | Self::Stopping | Self::Full | Self::Crowd { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::FullForAddress | Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::GivenUp => StatusCode::REQUEST_TIMEOUT,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NoSuchPath => "nothing is served on this path\n",
            Self::NotAnUpgrade => "this is a WebSocket endpoint for the subprotocol rpc.v1\n",
            Self::WebSocketVersion => "the WebSocket version is not 13\n",
            Self::WebSocketKey => "Sec-WebSocket-Key is missing or malformed\n",
            Self::Body => "a request for an upgrade has no body\n",
            Self::Subprotocol => "the offered subprotocol is not a token\n",
            Self::Origin => "pages of this origin may not connect\n",
            Self::CookieWithoutOrigin => {
                "a cookie identifies nobody without an Origin: send the credential in Authorization\n"
            }
            Self::TwoCredentials => "there are two credentials, and they are not the same: send one\n",
            Self::Unauthenticated { expired: false } => "the credential is not accepted\n",
            Self::Unauthenticated { expired: true } => "the credential has expired\n",
            Self::CannotAuthenticate => "the credential cannot be checked now\n",
            Self::AuthenticatorPanicked => "the credential could not be checked\n",
            Self::Stopping => "the server is stopping\n",
            Self::Full => "the server has as many connections as it may have\n",
            Self::FullForAddress => "your address has as many connections as it may have\n",
            Self::GivenUp => "the client has closed the connection\n",
            Self::TooOften { .. } => "your address connects too often\n",
            Self::Crowd { .. } => "too many clients connect at once\n",
        }
    }

    /// Headers that the status asks for.
    fn header(self) -> Option<(header::HeaderName, HeaderValue)> {
        Some(match self {
            Self::NotAnUpgrade => (header::UPGRADE, HeaderValue::from_static("websocket")),
            Self::WebSocketVersion => (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
            Self::Unauthenticated { expired: false } => {
                let challenge = "Bearer error=\"invalid_token\"";
                (header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
            }
            Self::Unauthenticated { expired: true } => {
                let challenge = "Bearer error=\"invalid_token\", error_description=\"expired\"";
                (header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
            }
            Self::CannotAuthenticate | Self::Stopping | Self::Full | Self::FullForAddress => {
                (header::RETRY_AFTER, retry_after(Duration::ZERO, SOON))
            }
            // Whole seconds would gather them again: so they are told up to a second more.
            Self::TooOften { after } | Self::Crowd { after } => (
                header::RETRY_AFTER,
                retry_after(after, after + Duration::from_secs(1)),
            ),
            _ => return None,
        })
    }

    /// What it is counted as.
    pub(in crate::server) fn outcome(self) -> HandshakeOutcome {
        match self {
            Self::NoSuchPath => HandshakeOutcome::NotFound,
            Self::NotAnUpgrade | Self::WebSocketVersion | Self::WebSocketKey | Self::Body => {
                HandshakeOutcome::Malformed
            }
            Self::Subprotocol => HandshakeOutcome::Subprotocol,
            Self::Origin => HandshakeOutcome::Origin,
            Self::CookieWithoutOrigin
            | Self::TwoCredentials
            | Self::Unauthenticated { .. }
            | Self::CannotAuthenticate
            | Self::AuthenticatorPanicked => HandshakeOutcome::Credential,
            Self::Stopping => HandshakeOutcome::Stopping,
            Self::Full => HandshakeOutcome::Connections,
            Self::FullForAddress => HandshakeOutcome::AddressConnections,
            Self::TooOften { .. } => HandshakeOutcome::AddressRate,
            Self::Crowd { .. } => HandshakeOutcome::Rate,
            Self::GivenUp => HandshakeOutcome::Timeout,
        }
    }

    pub(in crate::server) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(self.text()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        // Kept alive, it would take a place among the handshakes that are under way.
        headers.insert(
            header::CONNECTION,
            HeaderValue::from_static(match self {
                Self::NotAnUpgrade => "Upgrade, close",
                _ => "close",
            }),
        );
        headers.extend(self.header());
        response
    }
}

/// A time to come back after, at random between two, in whole seconds and never none.
fn retry_after(least: Duration, most: Duration) -> HeaderValue {
    let wait = random::between(least, most);
    HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0 || wait.is_zero()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_is_not_for_ever_says_after_how_many_seconds_to_come_back_and_not_always_the_same() {
        let seconds = || -> u64 {
            let response = Refusal::Full.into_response();
            response.headers()[header::RETRY_AFTER]
                .to_str()
                .unwrap()
                .parse()
                .unwrap()
        };
        let mut seen = [0; 6];
        (0..1_000).for_each(|_| seen[usize::try_from(seconds()).unwrap()] += 1);
        assert_eq!(seen[0], 0);
        assert!(seen[1..].iter().all(|count| *count > 100), "{seen:?}");
    }
}
