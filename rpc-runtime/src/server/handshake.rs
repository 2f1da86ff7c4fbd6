//! From an HTTP request to a connection: what is refused, what is upgraded, and what is upgraded only to be told why
//! not.
//!
//! A browser hides the status of a refused upgrade from its page, and drops one whose subprotocol it did not offer.
//! So a handshake without our subprotocol is accepted, with one of those that were offered, and closed with 4504.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use rpc_protocol::{CloseCode, SUBPROTOCOL};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    connection::Connection,
    routes::Route,
    shared::{Admission, Shared},
};
use crate::{ConnectInfo, Session};

/// What a browser offers its token as, because it cannot set a header: never echoed, never logged.
const BEARER: &str = "bearer.";

/// The peer's address, as a request extension: how an HTTP router tells it to a mounted [`Server`](crate::Server).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddr(pub SocketAddr);

/// Answers on the configured path only.
pub(super) fn answer_standalone<B>(
    shared: &Arc<Shared>,
    request: &mut Request<B>,
    remote: SocketAddr,
) -> Response<Full<Bytes>> {
    match shared.routes.find(request.uri().path()) {
        Some(route) => answer_on(shared, route, request, Some(remote)),
        None => refuse(StatusCode::NOT_FOUND, "nothing is served on this path\n"),
    }
}

/// Answers on the path's endpoint; where there is but one, on any path.
pub(super) fn answer<B>(
    shared: &Arc<Shared>,
    request: &mut Request<B>,
    remote: Option<SocketAddr>,
) -> Response<Full<Bytes>> {
    let route = match shared.routes.find(request.uri().path()) {
        Some(route) => route,
        None if shared.routes.is_single() => Route {
            endpoint: shared.routes.main().clone(),
            parameters: Vec::new(),
        },
        None => return refuse(StatusCode::NOT_FOUND, "nothing is served on this path\n"),
    };
    answer_on(shared, route, request, remote)
}

/// Answers an HTTP request: 101, and a task for the connection, or a refusal.
fn answer_on<B>(
    shared: &Arc<Shared>,
    route: Route,
    request: &mut Request<B>,
    remote: Option<SocketAddr>,
) -> Response<Full<Bytes>> {
    let accept = match check(request.method(), request.version(), request.headers()) {
        Ok(key) => derive_accept_key(key),
        Err(refusal) => return *refusal,
    };
    if !route.endpoint.origins.admit(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "pages of this origin may not connect\n");
    }
    if shared.is_draining() {
        return unavailable("the server is stopping\n");
    }
    let Some(admission) = shared.admit() else {
        return unavailable("the server has as many connections as it may have\n");
    };
    let choice = Choice::of(request.headers());
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = choice.echoed() {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let Ok(response) = response.body(Full::default()) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            "the offered subprotocol is not a token\n",
        );
    };
    let info = connect_info(request, remote).with_params(route.parameters);
    let session = Session::new(info, route.endpoint, shared.clone());
    tokio::spawn(serve_upgrade(
        hyper::upgrade::on(request),
        session,
        choice,
        admission,
    ));
    response
}

fn connect_info<B>(request: &Request<B>, remote: Option<SocketAddr>) -> ConnectInfo {
    let info = ConnectInfo::from_request(request);
    match remote {
        Some(remote) => info.with_remote_addr(remote),
        None => info,
    }
}

/// Waits for the upgrade and then is the connection's task.
async fn serve_upgrade(on_upgrade: OnUpgrade, session: Arc<Session>, choice: Choice, admission: Admission) {
    let timeout = admission.shared.limits.handshake_timeout;
    let Ok(Ok(upgraded)) = tokio::time::timeout(timeout, on_upgrade).await else {
        return;
    };
    let shared = admission.shared.clone();
    // In the standalone server the socket itself is behind hyper's box, and every later read and write is direct. What
    // hyper has read is let go before the connection is waited for: it is a slice of a buffer of 8 KiB.
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(Parts { io, read_buf, .. }) => begin(io.into_inner(), read_buf, session, &choice, shared).await,
        Err(upgraded) => begin(TokioIo::new(upgraded), Bytes::new(), session, &choice, shared).await,
    }
    drop(admission);
}

fn begin<S>(
    stream: S,
    read_ahead: Bytes,
    session: Arc<Session>,
    choice: &Choice,
    shared: Arc<Shared>,
) -> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[cfg(feature = "__echo")]
    if shared.echoes() {
        return Connection::echoing(stream, &read_ahead, session, shared);
    }
    let refuse = |stream, session, shared, reason| {
        Connection::refused(stream, session, shared, CloseCode::SubprotocolUnknown, reason)
    };
    match choice {
        Choice::Ours => Connection::new(stream, &read_ahead, session, shared),
        Choice::Unknown(_) => refuse(stream, session, shared, "unknown subprotocol: offer rpc.v1"),
        Choice::None => refuse(stream, session, shared, "no subprotocol: offer rpc.v1"),
    }
}

/// Which of the offered subprotocols is answered.
#[derive(Debug, PartialEq, Eq)]
enum Choice {
    /// The one that is served.
    Ours,
    /// None that is served: this one is echoed before the connection is closed.
    Unknown(String),
    /// None was offered that may be echoed.
    None,
}

impl Choice {
    fn of(headers: &HeaderMap) -> Self {
        let offered = || tokens(headers, header::SEC_WEBSOCKET_PROTOCOL);
        if offered().any(|offer| offer == SUBPROTOCOL) {
            return Self::Ours;
        }
        let is_token = |offer: &&str| {
            offer
                .get(..BEARER.len())
                .is_some_and(|p| p.eq_ignore_ascii_case(BEARER))
        };
        match offered().find(|offer| !is_token(offer)) {
            Some(offer) => Self::Unknown(offer.to_owned()),
            None => Self::None,
        }
    }

    fn echoed(&self) -> Option<&str> {
        match self {
            Self::Ours => Some(SUBPROTOCOL),
            Self::Unknown(offer) => Some(offer),
            Self::None => None,
        }
    }
}

/// Checks what RFC 6455, section 4.2.1, asks of the request; gives the client's key.
fn check<'a>(
    method: &Method,
    version: Version,
    headers: &'a HeaderMap,
) -> Result<&'a [u8], Box<Response<Full<Bytes>>>> {
    let has =
        |name, token: &str| tokens(headers, name).any(|candidate| candidate.eq_ignore_ascii_case(token));
    if *method != Method::GET
        || version != Version::HTTP_11
        || !has(header::CONNECTION, "upgrade")
        || !has(header::UPGRADE, "websocket")
    {
        let mut response = refuse(
            StatusCode::UPGRADE_REQUIRED,
            "this is a WebSocket endpoint for the subprotocol rpc.v1\n",
        );
        response
            .headers_mut()
            .insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
        response.headers_mut().insert(
            header::CONNECTION,
            header::HeaderValue::from_static("Upgrade, close"),
        );
        return Err(Box::new(response));
    }
    if headers
        .get(header::SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version.as_bytes() != b"13")
    {
        let mut response = refuse(StatusCode::UPGRADE_REQUIRED, "the WebSocket version is not 13\n");
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            header::HeaderValue::from_static("13"),
        );
        return Err(Box::new(response));
    }
    match headers.get(header::SEC_WEBSOCKET_KEY) {
        // 16 bytes in base64.
        Some(key) if key.len() == 24 => Ok(key.as_bytes()),
        _ => Err(Box::new(refuse(
            StatusCode::BAD_REQUEST,
            "Sec-WebSocket-Key is missing or malformed\n",
        ))),
    }
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

fn refuse(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    // Kept alive, it would take a place among the handshakes that are under way.
    response
        .headers_mut()
        .insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

fn unavailable(text: &'static str) -> Response<Full<Bytes>> {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, text);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    response
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
