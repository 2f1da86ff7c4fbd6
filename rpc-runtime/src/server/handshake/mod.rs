//! From an HTTP request to a connection: what is refused, what is upgraded, and what is upgraded only to be told why
//! not.
//!
//! ```text
//! path ─▶ upgrade ─▶ origin ─▶ limits ─▶ credential ─▶ authenticators ─▶ 101, and a task for the connection
//!  404    400, 426     403    429, 503    400, 403      401, 500, 503
//! ```
//!
//! A browser hides the status of a refused upgrade from its page, and drops one whose subprotocol it did not offer.
//! So a handshake without our subprotocol is accepted, with one of those that were offered, and closed with 4504 (one that offers none
//! may be a client of CMMV's instead, where the endpoint speaks that); and one of a
//! page (it has an `Origin`) whose credential is not accepted is closed with the code that says why.

mod authentication;
mod credentials;
mod refusal;
mod upgrade;

use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use rpc_protocol::CloseCode;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::Instant,
};
#[cfg(feature = "tls")]
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{
    admission::{NoPlace, TooOften, network},
    connection::Connection,
    http::Watched,
    routes::Route,
    shared::{Admission, Shared},
};
use crate::{ConnectInfo, Session, metrics::HandshakeOutcome};
pub(super) use refusal::Refusal;
use upgrade::Choice;
pub(super) use upgrade::{is_asked_for, offers_nothing};

/// The peer's address, as a request extension: how an HTTP router tells it to a mounted [`Server`](crate::Server).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemoteAddr(pub SocketAddr);

/// A handshake that is answered.
pub(super) struct Handshake {
    pub(super) request: Request<()>,
    pub(super) remote: Option<SocketAddr>,
    /// When the answer has to be given.
    pub(super) until: Instant,
}

/// Where a request to a mounted server leads: to the path's endpoint; where there is but one, to that on any path.
pub(super) fn mounted_route<B>(shared: &Shared, request: &Request<B>) -> Option<Route> {
    match shared.routes.find_for(request) {
        None if shared.routes.is_single() => Some(Route {
            endpoint: shared.routes.main().clone(),
            parameters: Vec::new(),
        }),
        found => found,
    }
}

/// Answers an HTTP request: 101, and a task for the connection, or a refusal.
pub(super) async fn answer_on(
    shared: &Arc<Shared>,
    route: Option<Route>,
    handshake: Handshake,
) -> Response<Full<Bytes>> {
    let remote = handshake.remote;
    let accepted = accept(shared, route, handshake).await;
    accepted.unwrap_or_else(|refusal| refuse(shared, refusal, remote))
}

/// What a request is told that is not upgraded. It is counted, and in the log for whoever looks for it: pages are shown none of it.
pub(super) fn refuse(shared: &Shared, refusal: Refusal, remote: Option<SocketAddr>) -> Response<Full<Bytes>> {
    shared.meter().handshake(refusal.outcome());
    let status = refusal.status().as_u16();
    tracing::debug!(?remote, status, "not upgraded: {}", refusal.text().trim_end());
    refusal.into_response()
}

async fn accept(
    shared: &Arc<Shared>,
    route: Option<Route>,
    mut handshake: Handshake,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let Some(Route { endpoint, parameters }) = route else {
        return Err(Refusal::NoSuchPath);
    };
    let on_upgrade = hyper::upgrade::on(&mut handshake.request);
    let info = connect_info(shared, &handshake).with_params(parameters);
    let choice = Choice::of(handshake.request.headers());
    #[cfg(feature = "cmmv")]
    let info = match choice {
        Choice::None if endpoint.speaks_cmmv() => info.with_foreign_wire(),
        _ => info,
    };
    let request = handshake.request;
    let accept = derive_accept_key(upgrade::check(&request)?);
    if !endpoint.origins.admit(request.headers()) {
        return Err(Refusal::Origin);
    }
    let admission = admit(shared, info.client_addr())?;
    let response = switching(&accept, &choice)?;
    let session = Session::new(info, endpoint, shared.clone());
    let entry = enter(request.headers(), &session, &choice, handshake.until).await?;
    shared.meter().handshake(entry.outcome());
    tokio::spawn(serve_upgrade(on_upgrade, session, entry, admission));
    Ok(response)
}

/// Counts a client of an address, and gives it a place.
fn admit(shared: &Arc<Shared>, address: Option<IpAddr>) -> Result<Admission, Refusal> {
    if shared.is_draining() {
        return Err(Refusal::Stopping);
    }
    shared
        .rates
        .check(address.map(network))
        .map_err(|why| match why {
            TooOften::Address(after) => Refusal::TooOften { after },
            TooOften::All(after) => Refusal::Crowd { after },
        })?;
    shared.admit(address).map_err(|why| match why {
        NoPlace::AtAll => Refusal::Full,
        NoPlace::OfAddress => Refusal::FullForAddress,
    })
}

fn switching(accept: &str, choice: &Choice) -> Result<Response<Full<Bytes>>, Refusal> {
    let mut response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = choice.echoed() {
        response = response.header(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    response.body(Full::default()).map_err(|_| Refusal::Subprotocol)
}

fn connect_info(shared: &Shared, handshake: &Handshake) -> ConnectInfo {
    let info = ConnectInfo::from_request(&handshake.request);
    let Some(remote) = handshake.remote else {
        return info;
    };
    let info = info.with_remote_addr(remote);
    match shared
        .front
        .proxies
        .client_of(remote.ip(), handshake.request.headers())
    {
        Some(client) => info.with_forwarded_for(client),
        None => info,
    }
}

/// What becomes of a connection once it is upgraded.
enum Entry {
    /// It is served.
    Open,
    /// It is told why it is not.
    Closed { code: CloseCode, reason: &'static str },
}

impl Entry {
    fn closed(code: CloseCode, reason: &'static str) -> Self {
        Self::Closed { code, reason }
    }

    fn outcome(&self) -> HandshakeOutcome {
        match self {
            Self::Open => HandshakeOutcome::Accepted,
            Self::Closed {
                code: CloseCode::SubprotocolUnknown,
                ..
            } => HandshakeOutcome::Subprotocol,
            Self::Closed { .. } => HandshakeOutcome::Credential,
        }
    }
}

/// Decides that, and gives the session its identity where a credential is accepted.
async fn enter(
    headers: &HeaderMap,
    session: &Arc<Session>,
    choice: &Choice,
    until: Instant,
) -> Result<Entry, Refusal> {
    match choice {
        Choice::Ours => {}
        Choice::Unknown(_) => {
            let reason = "unknown subprotocol: offer rpc.v1";
            return Ok(Entry::closed(CloseCode::SubprotocolUnknown, reason));
        }
        Choice::None if session.endpoint.speaks_cmmv() => {}
        Choice::None => {
            let reason = "no subprotocol: offer rpc.v1";
            return Ok(Entry::closed(CloseCode::SubprotocolUnknown, reason));
        }
    }
    let denial = match authentication::authenticate(headers, session, until).await {
        Ok(identity) => {
            if identity.is_some() {
                session.set_identity(identity);
            }
            return Ok(Entry::Open);
        }
        Err(denial) => denial,
    };
    match denial.close_code() {
        Some(code) if headers.contains_key(header::ORIGIN) => Ok(Entry::closed(code, denial.reason())),
        _ => Err(denial.refusal()),
    }
}

/// Waits for the upgrade and then is the connection's task. Its place is free when it is over; its socket may be closed later.
async fn serve_upgrade(on_upgrade: OnUpgrade, session: Arc<Session>, entry: Entry, admission: Admission) {
    let timeout = admission.shared.limits.handshake_timeout;
    let Ok(Ok(upgraded)) = tokio::time::timeout(timeout, on_upgrade).await else {
        return;
    };
    let mut connection = connection_over(upgraded, session, entry, admission.shared.clone());
    connection.as_mut().await;
    admission.part().await;
    drop(connection);
}

/// The connection's future, boxed: a task has room for the largest future that it may be, which is one over TLS, and most
/// connections are smaller by kilobytes.
fn connection_over(
    upgraded: Upgraded,
    session: Arc<Session>,
    entry: Entry,
    shared: Arc<Shared>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    #[cfg(feature = "cmmv")]
    if session.info().is_foreign() && matches!(entry, Entry::Open) {
        return Box::pin(Connection::translated(TokioIo::new(upgraded), session, shared));
    }
    // In the standalone server the socket itself is behind hyper's box, and every later read and write is direct. What
    // hyper has read is let go before the connection is waited for: it is a slice of a buffer of 8 KiB.
    let upgraded = match upgraded.downcast::<TokioIo<Watched<TcpStream>>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let stream = io.into_inner().into_inner();
            return Box::pin(connection(stream, read_buf, session, entry, shared));
        }
        Err(upgraded) => upgraded,
    };
    #[cfg(feature = "tls")]
    let upgraded = match upgraded.downcast::<TokioIo<Watched<TlsStream<TcpStream>>>>() {
        Ok(Parts { io, read_buf, .. }) => {
            let stream = io.into_inner().into_inner();
            return Box::pin(connection(stream, read_buf, session, entry, shared));
        }
        Err(upgraded) => upgraded,
    };
    // An HTTP router's own server.
    match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(Parts { io, read_buf, .. }) => {
            Box::pin(connection(io.into_inner(), read_buf, session, entry, shared))
        }
        Err(upgraded) => {
            let stream = TokioIo::new(upgraded);
            Box::pin(connection(stream, Bytes::new(), session, entry, shared))
        }
    }
}

fn connection<S>(
    stream: S,
    read_ahead: Bytes,
    session: Arc<Session>,
    entry: Entry,
    shared: Arc<Shared>,
) -> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    #[cfg(feature = "__echo")]
    if shared.echoes() {
        return Connection::echoing(stream, &read_ahead, session, shared);
    }
    match entry {
        Entry::Open => Connection::new(stream, &read_ahead, session, shared),
        Entry::Closed { code, reason } => Connection::refused(stream, session, shared, code, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn the_task_of_a_connection_has_no_room_for_streams_of_another_kind() {
        // With the connection inside it would be as large as two of those over TLS.
        let size = size_of_future(serve_upgrade);
        assert!(size < size_of::<Connection<TcpStream>>(), "{size}");
    }
}
