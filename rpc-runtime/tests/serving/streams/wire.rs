//! A client of streams that sends frames by hand, and gives credit only when it is told to.

use std::sync::Arc;

use rpc_protocol::{
    Frame, FrameKind,
    frame::{AnnouncedLimits, Credit, Data, End, Greeting, Request, Reset},
};
use rpc_runtime::{Code, ConnectInfo, Limits, Metadata, Server, prost::Message as _};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use super::service::{Item, Traces, method, server};
use crate::raw::{Raw, generous};

/// What a server sends for a call.
#[derive(Debug, PartialEq)]
pub enum Said {
    Opened(Metadata),
    Item(Item),
    /// A final response.
    Answer(Item),
    Ended(Code, String),
    /// It reads no more.
    Stop,
}

pub struct Peer {
    pub raw: Raw,
    /// Limits that the server told.
    pub greeting: Box<Greeting>,
}

impl Peer {
    /// Takes everything that a server sends.
    pub async fn connect(server: &Server) -> Self {
        let mut peer = Self::connect_with_default_windows(server).await;
        peer.raw.send(0, generous()).await;
        peer
    }

    /// Says nothing of itself: its windows are the protocol's, and it gives credit by hand.
    pub async fn connect_with_default_windows(server: &Server) -> Self {
        let (near, far) = tokio::io::duplex(256 * 1024);
        tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut raw = Raw { socket };
        match raw.frame().await.expect("a greeting").kind {
            FrameKind::Greeting(greeting) => Self { raw, greeting },
            other => panic!("not a greeting: {other:?}"),
        }
    }

    pub async fn greet(&mut self, limits: AnnouncedLimits) {
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        self.raw.send(0, FrameKind::Greeting(Box::new(greeting))).await;
    }

    /// Calls with one message.
    pub async fn call(&mut self, stream_id: u64, name: &str, request: &Item) {
        self.raw.send(stream_id, one(name, request)).await;
    }

    /// Opens a call with a stream.
    pub async fn open(&mut self, stream_id: u64, name: &str) {
        self.raw.send(stream_id, open(name)).await;
    }

    pub async fn item(&mut self, stream_id: u64, item: &Item) {
        self.raw.send(stream_id, data(item)).await;
    }

    pub async fn end(&mut self, stream_id: u64) {
        self.raw.send(stream_id, FrameKind::End(End::default())).await;
    }

    pub async fn reset(&mut self, stream_id: u64) {
        self.raw
            .send(stream_id, FrameKind::Reset(Reset { code: 1 }))
            .await;
    }

    pub async fn credit(&mut self, stream_id: u64, bytes: u64) {
        self.raw
            .send(stream_id, FrameKind::Credit(Credit { bytes }))
            .await;
    }

    /// What comes next, but for credit and the connection's own frames.
    pub async fn next(&mut self) -> (u64, Said) {
        loop {
            let Frame { stream_id, kind } = self.raw.frame().await.expect("something of a call");
            let said = match kind {
                FrameKind::Response(response) if response.open => Said::Opened(response.metadata.into()),
                FrameKind::Response(response) => Said::Answer(Item::decode(response.body).unwrap()),
                FrameKind::Data(Data { body, .. }) => Said::Item(Item::decode(body).unwrap()),
                FrameKind::End(End { status, .. }) => {
                    let status = status.unwrap_or_default();
                    Said::Ended(status.code(), status.message)
                }
                FrameKind::Reset(_) => Said::Stop,
                FrameKind::Credit(_) | FrameKind::GoAway(_) | FrameKind::Ping(_) => continue,
                other => panic!("not of a call: {other:?}"),
            };
            return (stream_id, said);
        }
    }

    /// The same, of one call, while no other is open.
    pub async fn said(&mut self, stream_id: u64) -> Said {
        let (id, said) = self.next().await;
        assert_eq!(id, stream_id, "{said:?}");
        said
    }

    /// Expects the end of a call, and gives its code.
    pub async fn ended(&mut self, stream_id: u64) -> Code {
        match self.said(stream_id).await {
            Said::Ended(code, _) => code,
            other => panic!("not the end: {other:?}"),
        }
    }

    /// Shows that nothing more was sent for the calls before.
    pub async fn expect_silence(&mut self, stream_id: u64) {
        self.call(stream_id, "Echo", &Item::default()).await;
        assert_eq!(self.said(stream_id).await, Said::Answer(Item::default()));
    }
}

pub fn one(name: &str, request: &Item) -> FrameKind {
    FrameKind::Request(Request {
        method: method(name).number,
        body: request.encode_to_vec().into(),
        ..Request::default()
    })
}

pub fn open(name: &str) -> FrameKind {
    FrameKind::Request(Request {
        method: method(name).number,
        open: true,
        ..Request::default()
    })
}

pub fn data(item: &Item) -> FrameKind {
    FrameKind::Data(Data {
        body: item.encode_to_vec().into(),
        ..Data::default()
    })
}

/// A server, and a peer that takes everything.
pub async fn peers(limits: Limits) -> (Server, Peer, Arc<Traces>) {
    let (server, traces) = server(limits);
    let peer = Peer::connect(&server).await;
    (server, peer, traces)
}
