//! Servers that are spoken by hand, for a client that reconnects.

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use rpc_protocol::{
    Code, Frame, FrameKind,
    frame::{Authenticate, Greeting, Identity, Request, Response, Status},
};
use rpc_runtime::{Client, ClientBuilder, Connector, prost::Message as _};
use tokio::{
    io::DuplexStream,
    sync::{Mutex, mpsc},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame, protocol::Role},
};

use crate::service::Note;

/// Hands the server's end of each connection to the test.
pub struct ByHand {
    ends: mpsc::UnboundedSender<DuplexStream>,
}

impl Connector for ByHand {
    type Io = DuplexStream;

    async fn connect(&self) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(64 * 1024);
        match self.ends.send(far) {
            Ok(()) => Ok(near),
            Err(_) => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

/// The server's ends of a client's connections, in the order in which they are made.
#[derive(Clone)]
pub struct Ends(Arc<Mutex<mpsc::UnboundedReceiver<DuplexStream>>>);

pub fn by_hand() -> (ClientBuilder, Ends) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = Client::from_connector(ByHand { ends: sender });
    (builder, Ends(Arc::new(Mutex::new(receiver))))
}

impl Ends {
    pub async fn next(&self) -> End {
        let stream = self.0.lock().await.recv().await.expect("a connection");
        End(WebSocketStream::from_raw_socket(stream, Role::Server, None).await)
    }

    /// Whether another connection was made.
    pub async fn is_empty(&self) -> bool {
        self.0.lock().await.is_empty()
    }
}

/// One server's end.
pub struct End(pub WebSocketStream<DuplexStream>);

impl End {
    pub async fn send(&mut self, stream_id: u64, kind: FrameKind) {
        let frame = Frame::new(stream_id, kind).to_bytes();
        self.0.send(Message::Binary(frame)).await.expect("is sent");
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            match self.0.next().await? {
                Ok(Message::Binary(message)) => return Some(Frame::decode(message).expect("a frame")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next request, after whatever comes before it.
    pub async fn request(&mut self) -> (u64, Request) {
        loop {
            let Frame { stream_id, kind } = self.frame().await.expect("a request");
            if let FrameKind::Request(request) = kind {
                return (stream_id, request);
            }
        }
    }

    /// The next authentication, after whatever comes before it.
    pub async fn authenticate(&mut self) -> Authenticate {
        loop {
            let Frame { kind, .. } = self.frame().await.expect("an authentication");
            if let FrameKind::Authenticate(authenticate) = kind {
                return *authenticate;
            }
        }
    }

    pub async fn greet(&mut self, greeting: Greeting) {
        self.send(0, FrameKind::Greeting(Box::new(greeting))).await;
    }

    /// Says who the client is: the answer to an authentication, or, with 0, without having been asked.
    pub async fn identity(&mut self, request_id: u64, user_id: &str) {
        self.tell(Identity {
            request_id,
            user_id: user_id.to_owned(),
            ..Identity::default()
        })
        .await;
    }

    pub async fn tell(&mut self, identity: Identity) {
        self.send(0, FrameKind::Identity(Box::new(identity))).await;
    }

    /// Refuses an authentication; the client stays who it is.
    pub async fn refuse(&mut self, request_id: u64, user_id: &str, code: Code) {
        self.tell(Identity {
            request_id,
            user_id: user_id.to_owned(),
            status: Some(Status::new(code, "no")),
            ..Identity::default()
        })
        .await;
    }

    pub async fn answer(&mut self, stream_id: u64, note: &Note) {
        let body: Bytes = note.encode_to_vec().into();
        let response = Response {
            body,
            ..Response::default()
        };
        self.send(stream_id, FrameKind::Response(response)).await;
    }

    /// Closes with a code, and waits for the client's answer.
    pub async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "as told".into(),
        };
        let _ = self.0.close(Some(frame)).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }

    /// The code with which the client closes.
    pub async fn closed(mut self) -> u16 {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map_or(1005, |frame| frame.code.into()),
                Some(Ok(_)) => {}
                _ => return 1006,
            }
        }
    }
}
