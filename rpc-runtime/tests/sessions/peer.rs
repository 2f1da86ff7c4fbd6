//! A client that speaks frames by hand, over a pipe in memory.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_protocol::{
    Frame, FrameKind,
    frame::{Authenticate, AuthenticationPurpose, End, Greeting, Identity, Ping, Pong, Request, Response},
};
use rpc_runtime::{Code, ConnectInfo, Endpoint, Server, ServerLimits, prost};
use tokio::{io::DuplexStream, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::house::{Note, method, note};

pub const REFRESH: AuthenticationPurpose = AuthenticationPurpose::Refresh;
pub const CHANGE: AuthenticationPurpose = AuthenticationPurpose::ChangeUser;
pub const SIGN_OUT: AuthenticationPurpose = AuthenticationPurpose::SignOut;

pub struct Peer {
    pub socket: WebSocketStream<DuplexStream>,
    pub serving: JoinHandle<()>,
}

/// A server with an endpoint on `/in/{room}`.
pub fn serve(endpoint: Endpoint) -> Server {
    serve_within(endpoint, ServerLimits::default())
}

pub fn serve_within(endpoint: Endpoint, limits: ServerLimits) -> Server {
    let server = Server::builder().endpoint("/in/{room}", endpoint);
    server.server_limits(limits).build().unwrap()
}

/// How clients come to it.
pub fn info() -> ConnectInfo {
    let request = http::Request::get("/in/hall?q=a+b").body(()).unwrap();
    ConnectInfo::from_request(&request).with_remote_addr(([127, 0, 0, 1], 4_321).into())
}

impl Peer {
    /// Begins to connect; the greeting is not awaited.
    pub async fn begin(server: &Server, info: ConnectInfo) -> Self {
        let (near, far) = tokio::io::duplex(256 * 1024);
        let serving = tokio::spawn(server.serve_connection(far, info));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        Self { socket, serving }
    }

    /// Connects anonymously.
    pub async fn connect(server: &Server) -> Self {
        Self::connect_as(server, info()).await.0
    }

    pub async fn connect_as(server: &Server, info: ConnectInfo) -> (Self, Greeting) {
        let mut peer = Self::begin(server, info).await;
        let greeting = peer.greeting().await;
        (peer, greeting)
    }

    pub async fn greeting(&mut self) -> Greeting {
        match self.frame().await.kind {
            FrameKind::Greeting(greeting) => *greeting,
            other => panic!("not a greeting: {other:?}"),
        }
    }

    pub async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        let frame = Frame { stream_id, kind };
        self.socket
            .send(Message::Binary(frame.to_bytes()))
            .await
            .expect("is sent");
    }

    /// The next frame; pings on the way to it are answered.
    pub async fn frame(&mut self) -> Frame {
        loop {
            let frame = self.any_frame().await;
            match frame.kind {
                FrameKind::Ping(Ping { payload }) => self.send(0, FrameKind::Pong(Pong { payload })).await,
                _ => return frame,
            }
        }
    }

    /// The payload of the ping that comes next; it is not answered.
    pub async fn ping(&mut self) -> u64 {
        match self.any_frame().await.kind {
            FrameKind::Ping(Ping { payload }) => payload,
            other => panic!("not a ping: {other:?}"),
        }
    }

    /// The next frame, of whatever kind.
    pub async fn any_frame(&mut self) -> Frame {
        match self.socket.next().await {
            Some(Ok(Message::Binary(message))) => Frame::decode(message).expect("a frame"),
            other => panic!("not a frame: {other:?}"),
        }
    }

    /// Nothing comes for so long but pings, which are answered.
    pub async fn rest(&mut self, seconds: u64) {
        tokio::select! {
            biased;
            frame = self.frame() => panic!("something came: {frame:?}"),
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
        }
    }

    /// Nothing comes.
    pub async fn hears_nothing(&mut self) {
        tokio::select! {
            biased;
            frame = self.frame() => panic!("something came: {frame:?}"),
            () = settle() => {}
        }
    }

    pub async fn call(&mut self, stream_id: u64, name: &str, text: &str) {
        let request = Request {
            method: method(name).number,
            body: note(text).encode_to_vec().into(),
            ..Request::default()
        };
        self.send(stream_id, FrameKind::Request(request)).await;
    }

    /// The first part of a request, of which more is to come.
    pub async fn part(&mut self, stream_id: u64, length: usize) {
        let request = Request {
            method: method("Who").number,
            more: true,
            body: vec![0; length].into(),
            ..Request::default()
        };
        self.send(stream_id, FrameKind::Request(request)).await;
    }

    /// The next answer, whatever credit comes before it: a text, or a code.
    pub async fn answer(&mut self) -> (u64, Result<String, Code>) {
        let Frame { stream_id, kind } = loop {
            let frame = self.frame().await;
            if !matches!(frame.kind, FrameKind::Credit(_)) {
                break frame;
            }
        };
        let answer = match kind {
            FrameKind::Response(Response { body, .. }) => Ok(Note::decode(body).expect("a note").text),
            FrameKind::Data(data) => Ok(Note::decode(data.body).expect("a note").text),
            FrameKind::End(End { status, .. }) => Err(status.map_or(Code::Ok, |status| status.code())),
            other => panic!("not an answer: {other:?}"),
        };
        (stream_id, answer)
    }

    pub async fn ask(&mut self, stream_id: u64, name: &str) -> Result<String, Code> {
        self.call(stream_id, name, "").await;
        let (answered, answer) = self.answer().await;
        assert_eq!(answered, stream_id);
        answer
    }

    pub async fn show(&mut self, request_id: u64, purpose: AuthenticationPurpose, word: &str) {
        self.show_as(request_id, purpose, "word", word).await;
    }

    pub async fn show_as(
        &mut self,
        request_id: u64,
        purpose: AuthenticationPurpose,
        scheme: &str,
        word: &str,
    ) {
        let authenticate = Authenticate {
            request_id,
            scheme: scheme.to_owned(),
            credential: word.to_owned().into(),
            purpose: purpose as i32,
            ..Authenticate::default()
        };
        self.send(0, FrameKind::Authenticate(Box::new(authenticate)))
            .await;
    }

    pub async fn identity(&mut self) -> Identity {
        match self.frame().await.kind {
            FrameKind::Identity(identity) => *identity,
            other => panic!("not an identity: {other:?}"),
        }
    }

    /// Shows a credential: who the client is then, or why not.
    pub async fn authenticate(
        &mut self,
        request_id: u64,
        purpose: AuthenticationPurpose,
        word: &str,
    ) -> Result<String, (Code, String)> {
        self.show(request_id, purpose, word).await;
        let identity = self.identity().await;
        assert_eq!(identity.request_id, request_id);
        match identity.status {
            None => Ok(identity.user_id),
            Some(status) => Err((status.code(), identity.user_id)),
        }
    }

    /// The close frame, with nothing before it.
    pub async fn closed_next(&mut self) -> (u16, String) {
        match self.socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => (frame.code.into(), frame.reason.as_str().to_owned()),
            other => panic!("not a close frame: {other:?}"),
        }
    }

    /// Waits for the close frame, behind anything else.
    pub async fn closed(&mut self) -> (u16, String) {
        let wait = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return (frame.code.into(), frame.reason.as_str().to_owned());
                    }
                    Some(Ok(_)) => {}
                    other => panic!("no close frame: {other:?}"),
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(3_600), wait)
            .await
            .expect("a close frame")
    }

    /// Answers the close frame, and waits until the server is done.
    pub async fn gone(mut self) {
        while self.socket.next().await.is_some_and(|read| read.is_ok()) {}
        let _ = self.serving.await;
        settle().await;
    }
}

/// Lets everything happen that needs no time.
pub async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
