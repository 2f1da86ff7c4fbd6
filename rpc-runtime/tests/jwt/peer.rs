//! A service that says who calls, and a peer that speaks frames by hand: over a socket, or in memory.

use std::{net::SocketAddr, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, HeaderValue, header};
use rpc_protocol::{
    Code as WireCode, Frame, FrameKind,
    frame::{Authenticate, AuthenticationPurpose, End, Greeting, Identity, Request, Response},
};
use rpc_runtime::{
    ConnectInfo, Context, Rate, Server, ServerBuilder, ServerLimits, Status, codegen::Gateway, contract,
    prost::Message as _, rpc,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::Role},
};

#[contract(package = "names", detached)]
pub struct Name {
    pub name: String,
}

pub struct NameGateway;

#[rpc("names", detached)]
impl NameGateway {
    /// The caller's id.
    #[message("Name", method = "Mine", auth)]
    async fn mine(&self, cx: &Context, _data: Name) -> Result<Name, Status> {
        Ok(Name {
            name: cx.user().unwrap_or_default().to_owned(),
        })
    }
}

pub fn names() -> ServerBuilder {
    // All handshakes come from one address.
    let limits = ServerLimits {
        connects_per_address: Rate::per_second(10_000),
        ..ServerLimits::default()
    };
    Server::builder().service(NameGateway).server_limits(limits)
}

/// A server on a free port, for as long as the guard lives.
pub async fn listen(builder: ServerBuilder) -> (SocketAddr, oneshot::Sender<()>) {
    let server = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(async move {
        server
            .serve_with_listener(listener, async { drop(stopped.await) })
            .await;
    });
    (addr, stop)
}

/// What a handshake came to.
pub enum Answer {
    Http(u16),
    Closed(u16),
    Greeted(Box<Peer<MaybeTlsStream<TcpStream>>>),
}

impl Answer {
    /// The status of HTTP, or the close code; 0 where the client was let in.
    pub fn code(&self) -> u16 {
        match self {
            Self::Http(code) | Self::Closed(code) => *code,
            Self::Greeted(_) => 0,
        }
    }

    pub fn user(&self) -> &str {
        match self {
            Self::Greeted(peer) => &peer.user,
            _ => panic!("refused with {}", self.code()),
        }
    }
}

pub fn bearer(token: &str) -> (HeaderName, String) {
    (header::AUTHORIZATION, format!("Bearer {token}"))
}

pub fn subprotocol(token: &str) -> (HeaderName, String) {
    let token = BASE64URL_NOPAD.encode(token.as_bytes());
    (header::SEC_WEBSOCKET_PROTOCOL, format!("bearer.{token}"))
}

/// The origin of a page of the server itself.
pub fn page(addr: SocketAddr) -> (HeaderName, String) {
    (header::ORIGIN, format!("http://{addr}"))
}

pub async fn shake(addr: SocketAddr, headers: &[(HeaderName, String)]) -> Answer {
    let mut request = format!("ws://{addr}/rpc").into_client_request().unwrap();
    let all = request.headers_mut();
    all.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rpc.v1"));
    for (name, value) in headers {
        all.append(name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => match Peer::greeted(socket).await {
            Ok(peer) => Answer::Greeted(Box::new(peer)),
            Err(code) => Answer::Closed(code),
        },
        Err(Error::Http(response)) => Answer::Http(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// A client that was greeted.
pub struct Peer<S> {
    socket: WebSocketStream<S>,
    /// Who it is, by the greeting.
    pub user: String,
    streams: u64,
}

impl Peer<DuplexStream> {
    /// In memory.
    pub async fn connect(server: &Server) -> Self {
        let (near, far) = tokio::io::duplex(256 * 1024);
        tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        Self::greeted(socket).await.unwrap()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// The close code, where there is no greeting.
    async fn greeted(socket: WebSocketStream<S>) -> Result<Self, u16> {
        let mut peer = Self {
            socket,
            user: String::new(),
            streams: 0,
        };
        match peer.next().await? {
            FrameKind::Greeting(greeting) => peer.user = greeting.user_id,
            other => panic!("no greeting: {other:?}"),
        }
        peer.send(0, FrameKind::Greeting(Box::<Greeting>::default()))
            .await;
        Ok(peer)
    }

    async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        let bytes = Frame { stream_id, kind }.to_bytes();
        self.socket.send(Message::Binary(bytes)).await.unwrap();
    }

    /// The next frame that is no ping, or the close code.
    async fn next(&mut self) -> Result<FrameKind, u16> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => match Frame::decode(bytes).unwrap().kind {
                    FrameKind::Ping(_) => self.send(0, FrameKind::Pong(Default::default())).await,
                    FrameKind::Credit(_) => {}
                    kind => return Ok(kind),
                },
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(_)) => {}
                other => panic!("neither a frame nor a close code: {other:?}"),
            }
        }
    }

    /// The caller's id as a handler sees it, or the status.
    pub async fn mine(&mut self) -> Result<String, WireCode> {
        self.streams += 1;
        let methods = NameGateway::descriptor().methods;
        let request = Request {
            method: methods[0].number,
            body: Name::default().encode_to_vec().into(),
            ..Request::default()
        };
        self.send(self.streams, FrameKind::Request(request)).await;
        match self.next().await.unwrap() {
            FrameKind::Response(Response { body, .. }) => Ok(Name::decode(body).unwrap().name),
            FrameKind::End(End { status, .. }) => Err(status.unwrap().code()),
            other => panic!("not an answer: {other:?}"),
        }
    }

    /// Shows a token; the answer, or the close code.
    pub async fn show(&mut self, token: &str, purpose: AuthenticationPurpose) -> Result<Identity, u16> {
        let authenticate = Authenticate {
            request_id: 7,
            scheme: "bearer".to_owned(),
            credential: token.to_owned().into(),
            purpose: purpose as i32,
            ..Authenticate::default()
        };
        self.send(0, FrameKind::Authenticate(Box::new(authenticate)))
            .await;
        let identity = self.identity().await?;
        assert_eq!(identity.request_id, 7);
        Ok(identity)
    }

    /// What the server says of who this is.
    pub async fn identity(&mut self) -> Result<Identity, u16> {
        match self.next().await? {
            FrameKind::Identity(identity) => Ok(*identity),
            other => panic!("no identity: {other:?}"),
        }
    }

    /// Answers pings for so long, and nothing else comes.
    pub async fn idle(&mut self, time: Duration) {
        if let Ok(came) = tokio::time::timeout(time, self.next()).await {
            panic!("{came:?} while idle");
        }
    }

    /// The close code, behind whatever frames.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}
