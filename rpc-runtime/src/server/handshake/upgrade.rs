//! What RFC 6455 asks of an upgrade, and the subprotocol that is chosen.

use http::{HeaderMap, Method, Request, Version, header};
use rpc_protocol::SUBPROTOCOL;

use super::refusal::Refusal;

/// What a browser offers its token as, because it cannot set a header: never echoed, never logged.
const BEARER: &str = "bearer.";

/// Which of the offered subprotocols is answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The one that is served.
    Ours,
    /// None that is served: this one is echoed before the connection is closed.
    Unknown(String),
    /// None was offered that may be echoed.
    None,
}

impl Choice {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let offered = || tokens(headers, header::SEC_WEBSOCKET_PROTOCOL);
        if offered().any(|offer| offer == SUBPROTOCOL) {
            return Self::Ours;
        }
        match offered().find(|offer| as_bearer(offer).is_none()) {
            Some(offer) => Self::Unknown(offer.to_owned()),
            None => Self::None,
        }
    }

    pub(super) fn echoed(&self) -> Option<&str> {
        match self {
            Self::Ours => Some(SUBPROTOCOL),
            Self::Unknown(offer) => Some(offer),
            Self::None => None,
        }
    }
}

/// Whether an upgrade to WebSocket is asked for that offers no subprotocol at all.
pub(in crate::server) fn offers_nothing<B>(request: &Request<B>) -> bool {
    !request.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL) && is_asked_for(request)
}

/// The tokens among the subprotocols that are offered, as they were sent.
pub(super) fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).filter_map(as_bearer)
}

/// What follows `bearer.` in a subprotocol that begins with that.
fn as_bearer(offer: &str) -> Option<&str> {
    let (prefix, token) = offer.split_at_checked(BEARER.len())?;
    prefix.eq_ignore_ascii_case(BEARER).then_some(token)
}

/// Whether a request asks for an upgrade to WebSocket at all.
pub(in crate::server) fn is_asked_for<B>(request: &Request<B>) -> bool {
    let has = |name, token: &str| {
        tokens(request.headers(), name).any(|candidate| candidate.eq_ignore_ascii_case(token))
    };
    *request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && has(header::CONNECTION, "upgrade")
        && has(header::UPGRADE, "websocket")
}

/// Checks what RFC 6455, section 4.2.1, asks of the request; gives the client's key.
pub(super) fn check(request: &Request<()>) -> Result<&[u8], Refusal> {
    if !is_asked_for(request) {
        return Err(Refusal::NotAnUpgrade);
    }
    if has_body(request.headers()) {
        return Err(Refusal::Body);
    }
    let version = request.headers().get(header::SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version.as_bytes() != b"13") {
        return Err(Refusal::WebSocketVersion);
    }
    match request.headers().get(header::SEC_WEBSOCKET_KEY) {
        // 16 bytes in base64.
        Some(key) if key.len() == 24 => Ok(key.as_bytes()),
        _ => Err(Refusal::WebSocketKey),
    }
}

/// Whether a body follows the header. Where it would end and WebSocket begin, a proxy may see otherwise than this server.
fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers
            .get_all(header::CONTENT_LENGTH)
            .into_iter()
            .any(|length| length.as_bytes() != b"0")
}

/// The comma-separated tokens of all values of a header.
fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(offers: &[&str]) -> Choice {
        let mut headers = HeaderMap::new();
        for offer in offers {
            headers.append(header::SEC_WEBSOCKET_PROTOCOL, offer.parse().unwrap());
        }
        Choice::of(&headers)
    }

    #[test]
    fn our_subprotocol_is_chosen_wherever_it_stands_and_a_token_never_is() {
        assert_eq!(choice(&["rpc.v1"]), Choice::Ours);
        assert_eq!(choice(&["bearer.abc, other", "rpc.v1"]), Choice::Ours);
        assert_eq!(
            choice(&["bearer.abc, other"]),
            Choice::Unknown("other".to_owned())
        );
        assert_eq!(choice(&["Bearer.abc"]), Choice::None);
        assert_eq!(choice(&[]), Choice::None);
    }
}
