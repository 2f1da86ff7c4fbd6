//! A peer that speaks frames by hand, to misbehave as it likes.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use rpc_protocol::{
    Frame, FrameKind,
    frame::{AnnouncedLimits, End, Greeting, Request, Response},
};
use rpc_runtime::{Code, ConnectInfo, Server, prost};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use crate::probe::{Order, method};

pub struct Raw<S = DuplexStream> {
    pub socket: WebSocketStream<S>,
}

impl Raw {
    /// Connects in memory; the greetings are exchanged.
    pub async fn connect(server: &Server) -> Self {
        Self::connect_with_room(server, 256 * 1024).await
    }

    pub async fn connect_with_room(server: &Server, room: usize) -> Self {
        let (near, far) = tokio::io::duplex(room);
        tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut raw = Self { socket };
        let greeting = raw.frame().await.expect("a greeting");
        assert!(matches!(greeting.kind, FrameKind::Greeting(_)), "{greeting:?}");
        raw.send(0, generous()).await;
        raw
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    pub async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        self.socket
            .send(Message::Binary(bytes_of(stream_id, kind)))
            .await
            .expect("is sent");
    }

    pub async fn request(&mut self, stream_id: u64, name: &str, request: &Order) {
        self.send(stream_id, request_of(name, request)).await;
    }

    /// The next frame; `None` once the connection is over, however.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Binary(message)) => return Some(Frame::decode(message).expect("a frame")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next answer, whatever credit comes before it: a response's label, or a status.
    pub async fn answer(&mut self) -> (u64, Result<Order, (Code, String)>) {
        let Frame { stream_id, kind } = loop {
            let frame = self.frame().await.expect("an answer");
            if !matches!(frame.kind, FrameKind::Credit(_)) {
                break frame;
            }
        };
        let answer = match kind {
            FrameKind::Response(Response { body, .. }) => Ok(Order::decode(body).expect("an order")),
            FrameKind::End(End { status, .. }) => {
                let status = status.expect("a status");
                Err((status.code(), status.message))
            }
            other => panic!("not an answer: {other:?}"),
        };
        (stream_id, answer)
    }

    /// Writes bytes that need not be WebSocket.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).await.expect("is written");
    }

    /// Waits for the close frame: its code and reason. Frames before it are skipped.
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
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .expect("a close frame in time")
    }
}

/// The greeting of a peer that takes everything, in one frame, and never sends credit.
pub fn generous() -> FrameKind {
    let limits = AnnouncedLimits {
        stream_window_bytes: u64::MAX,
        connection_window_bytes: u64::MAX,
        max_frame_body_bytes: u64::MAX,
        ..AnnouncedLimits::default()
    };
    FrameKind::Greeting(Box::new(Greeting {
        limits: Some(limits),
        ..Greeting::default()
    }))
}

pub fn request_of(name: &str, request: &Order) -> FrameKind {
    FrameKind::Request(Request {
        method: method(name).number,
        body: request.encode_to_vec().into(),
        ..Request::default()
    })
}

pub fn bytes_of(stream_id: u64, kind: FrameKind) -> Bytes {
    Frame { stream_id, kind }.to_bytes()
}

/// A binary message as a client puts it on the wire, in one frame.
pub fn masked(payload: &[u8]) -> Vec<u8> {
    masked_frame(0x82, payload)
}

pub fn masked_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | len as u8),
        len @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    let key = [1, 2, 3, 4];
    bytes.extend(key);
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

/// Everything that was logged on this thread while the guard lives.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        // While there is one subscriber alone, `tracing` asks the thread that comes to a line first whether anybody wants it, and
        // remembers a no for good: that of another test, which has none.
        static ANOTHER: OnceLock<tracing::Dispatch> = OnceLock::new();
        ANOTHER.get_or_init(|| tracing::Dispatch::new(tracing_subscriber::registry()));
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub fn lines(&self) -> Vec<String> {
        let log = self.0.lock().unwrap();
        String::from_utf8_lossy(&log)
            .lines()
            .filter(|line| line.contains("rpc_runtime"))
            .map(str::to_owned)
            .collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
