//! How a client connected, in as few bytes as it takes: it is kept for as long as the connection lives.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
};

use bytes::Bytes;
use http::{HeaderMap, header};
use rpc_protocol::RESUME_SUBPROTOCOL;

use crate::auth::Identity;

/// How a client connected.
///
/// Servers that do the upgrade themselves make one for
/// [`Server::serve_connection`](crate::Server::serve_connection).
///
/// `Debug` hides the query and the values of headers: some clients put keys there.
#[derive(Clone, Default)]
pub struct ConnectInfo {
    remote_addr: Option<SocketAddr>,
    /// Where a proxy that is trusted says that it is another than the peer's.
    forwarded_for: Option<IpAddr>,
    path: Box<str>,
    params: Box<[(Box<str>, Box<str>)]>,
    query: Option<Box<str>>,
    headers: Headers,
    tls: Option<Box<TlsInfo>>,
    /// Until the session takes it over.
    identity: Option<Identity>,
    coming_back: bool,
    /// It speaks another wire than ours, which knows of no sessions.
    foreign: bool,
}

/// What is known of the TLS connection that a client came over, from whoever ended it: the standalone server itself
/// ([`ServerBuilder::tls`](crate::ServerBuilder)), or another.
///
/// Servers that mount [`Server`](crate::Server) put it into the request's extensions; those that do the upgrade
/// themselves use [`ConnectInfo::with_tls`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The version, such as `TLSv1.3`.
    pub version: Option<String>,
    /// The cipher suite's name.
    pub cipher_suite: Option<String>,
    /// The server's name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// What the client proved to have: its certificate and those up to a root, each as DER. Empty without one.
    pub peer_certificates: Vec<Bytes>,
}

impl ConnectInfo {
    /// Nothing is known: the in-memory transport, or a test.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the HTTP request that was upgraded says.
    ///
    /// [`TlsInfo`] is taken from the request's extensions.
    pub fn from_request<B>(request: &http::Request<B>) -> Self {
        Self {
            tls: request.extensions().get::<TlsInfo>().cloned().map(Box::new),
            remote_addr: None,
            forwarded_for: None,
            path: request.uri().path().into(),
            params: Box::default(),
            query: request.uri().query().map(Into::into),
            headers: Headers::from_map(request.headers()),
            identity: None,
            coming_back: offers_resume(request.headers()),
            foreign: false,
        }
    }

    /// Sets the peer's address.
    #[must_use]
    pub fn with_remote_addr(mut self, remote_addr: SocketAddr) -> Self {
        self.remote_addr = Some(remote_addr);
        self
    }

    /// Sets what is known of the client's TLS connection.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsInfo) -> Self {
        self.tls = Some(Box::new(tls));
        self
    }

    /// Says who the client is, where whoever does the upgrade knows that: as if an authenticator had said so at the handshake.
    /// The session takes it over. One with an empty user id is nobody's.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Says that the client comes back to its session: its first frame is a greeting with a resume token, for which the server
    /// waits with its own. Of an HTTP request, [`from_request`](Self::from_request) knows it by the subprotocol
    /// [`RESUME_SUBPROTOCOL`](rpc_protocol::RESUME_SUBPROTOCOL).
    #[must_use]
    pub fn with_client_coming_back(mut self) -> Self {
        self.coming_back = true;
        self
    }

    pub(crate) fn is_coming_back(&self) -> bool {
        self.coming_back
    }

    /// Says that the client speaks another wire than `rpc.v1`.
    #[cfg(feature = "cmmv")]
    pub(crate) fn with_foreign_wire(mut self) -> Self {
        self.foreign = true;
        self.coming_back = false;
        self
    }

    /// Whether it does, and so cannot come back to its session.
    pub(crate) fn is_foreign(&self) -> bool {
        self.foreign
    }

    pub(crate) fn take_identity(&mut self) -> Option<Identity> {
        self.identity
            .take()
            .filter(|identity| !identity.user().is_empty())
    }

    /// What is known of the TLS connection that the client came over; `None` where whoever ended it has not said, or
    /// there was none.
    pub fn tls(&self) -> Option<&TlsInfo> {
        self.tls.as_deref()
    }

    /// The address of the socket's other end, where the transport has one: the client's own, or its proxy's.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.remote_addr
    }

    /// Sets the client's address, as a trusted proxy tells it.
    pub(crate) fn with_forwarded_for(mut self, client: IpAddr) -> Self {
        self.forwarded_for = Some(client);
        self
    }

    /// The client's address, which limits count: what a proxy says that the server was told to trust
    /// ([`ServerBuilder::trusted_proxies`](crate::ServerBuilder::trusted_proxies)), else that of
    /// [`remote_addr`](Self::remote_addr). An IPv4 address that came over an IPv6 socket is given as IPv4.
    pub fn client_addr(&self) -> Option<IpAddr> {
        self.forwarded_for
            .or_else(|| self.remote_addr.map(|remote| remote.ip().to_canonical()))
    }

    /// The path of the HTTP request; empty without one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A part of the path that the endpoint's path gives a name, percent-decoded: of `/game/{session_id}`, the
    /// `session_id`.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(candidate, _)| **candidate == *name)
            .map(|(_, value)| &**value)
    }

    pub(crate) fn with_params(mut self, params: Vec<(Box<str>, Box<str>)>) -> Self {
        self.params = params.into();
        self
    }

    /// The first value of a name in the query, decoded as a form's: of `?channel_id=a+b`, `a b`.
    pub fn query_value(&self, name: &str) -> Option<Cow<'_, str>> {
        form_urlencoded::parse(self.query()?.as_bytes())
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value)
    }

    /// The query of the HTTP request, without the question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The headers of the HTTP request.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}

/// The headers of the HTTP request, without those that carry credentials (`Authorization`, `Cookie`, offered
/// subprotocols) and those of the upgrade itself.
#[derive(Clone, Default)]
pub struct Headers(Box<[u8]>);

impl Headers {
    /// Copies what is worth keeping: a `HeaderMap` would hold on to hyper's whole read buffer.
    fn from_map(map: &HeaderMap) -> Self {
        let mut bytes = Vec::new();
        for (name, value) in map {
            if left_out(name) {
                continue;
            }
            let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
            for part in [name, value] {
                // Headers are bounded by far less than 4 GiB.
                bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
                bytes.extend_from_slice(part);
            }
        }
        Self(bytes.into())
    }

    /// The first value of a header; its name is compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = &*self.0;
        let mut part = move || {
            let (length, tail) = rest.split_first_chunk()?;
            let (part, tail) = tail.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = tail;
            Some(part)
        };
        std::iter::from_fn(move || Some((std::str::from_utf8(part()?).ok()?, part()?)))
    }
}

/// Whether the client offers the subprotocol by which it says that it comes back.
fn offers_resume(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offer| offer.trim() == RESUME_SUBPROTOCOL)
}

fn left_out(name: &header::HeaderName) -> bool {
    [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
        header::CONNECTION,
        header::UPGRADE,
        header::SEC_WEBSOCKET_ACCEPT,
        header::SEC_WEBSOCKET_EXTENSIONS,
        header::SEC_WEBSOCKET_KEY,
        header::SEC_WEBSOCKET_PROTOCOL,
        header::SEC_WEBSOCKET_VERSION,
    ]
    .contains(name)
}

impl fmt::Debug for ConnectInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectInfo")
            .field("remote_addr", &self.remote_addr)
            .field("forwarded_for", &self.forwarded_for)
            .field("path", &self.path)
            .field("headers", &self.headers)
            .field("tls", &self.tls)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// Names alone: a header of any name may hold a key.
impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_everything_but_credentials_and_the_upgrade() {
        let request = http::Request::builder()
            .uri("/rpc?a=b")
            .header("User-Agent", "test")
            .header("Authorization", "Bearer secret")
            .header("Cookie", "secret")
            .header("Sec-WebSocket-Protocol", "rpc.v1, bearer.secret")
            .header("X-Forwarded-For", "1.2.3.4")
            .header("X-Forwarded-For", "5.6.7.8")
            .body(())
            .unwrap();
        let info = ConnectInfo::from_request(&request);
        assert_eq!((info.path(), info.query()), ("/rpc", Some("a=b")));
        let kept: Vec<_> = info.headers().iter().collect();
        assert_eq!(
            kept,
            [
                ("user-agent", &b"test"[..]),
                ("x-forwarded-for", b"1.2.3.4"),
                ("x-forwarded-for", b"5.6.7.8")
            ]
        );
        assert_eq!(info.headers().get("USER-AGENT"), Some(&b"test"[..]));
    }

    #[test]
    fn what_a_client_may_have_put_into_query_and_headers_is_not_shown_by_debug() {
        let request = http::Request::builder()
            .uri("/rpc?token=secret")
            .header("Authorization", "Bearer secret")
            .header("Cookie", "secret")
            .header("X-Api-Key", "secret")
            .header("Sec-WebSocket-Protocol", "rpc.v1, bearer.secret")
            .body(())
            .unwrap();
        let shown = format!("{:?}", ConnectInfo::from_request(&request));
        assert!(shown.contains("/rpc") && shown.contains("x-api-key"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
