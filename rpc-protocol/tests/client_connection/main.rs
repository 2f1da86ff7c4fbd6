//! The client's end: which outcome a call gets, and what a server may not do.

mod calls;
mod identity;
mod streams;
mod violations;

use std::time::Instant;

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, Data, Greeting, Request, Response};
use rpc_protocol::{
    ClientConnection, ClientEvent, Code, ConnectionError, Frame, FrameKind, Limits, OpenError,
};

struct Client {
    connection: ClientConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
}

impl Client {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            connection: ClientConnection::new(Limits::default(), now),
            now,
            out: Vec::new(),
        }
    }

    fn receive(&mut self, stream_id: u64, kind: FrameKind) -> Result<ClientEvent, ConnectionError> {
        self.connection
            .handle_message(Frame::new(stream_id, kind).to_bytes(), self.now, &mut self.out)
    }

    fn open(&mut self) -> Result<u64, OpenError> {
        let request = Request {
            method: 7,
            ..Request::default()
        };
        self.connection.open(&request, &b"body"[..], &mut self.out)
    }

    /// Opens a call on which this client goes on sending.
    fn open_stream(&mut self) -> u64 {
        let request = Request {
            method: 7,
            open: true,
            ..Request::default()
        };
        self.connection
            .open(&request, &(), &mut self.out)
            .expect("is opened")
    }

    /// A call whose response is a stream.
    fn opened(&mut self) -> u64 {
        let id = self.open_stream();
        let response = Response {
            open: true,
            ..Response::default()
        };
        let event = self.receive(id, FrameKind::Response(response));
        assert!(matches!(event, Ok(ClientEvent::Opened { .. })), "{event:?}");
        self.sent();
        id
    }

    fn data(&mut self, stream_id: u64, more: bool, len: usize) -> Result<ClientEvent, ConnectionError> {
        let data = Data {
            more,
            body: vec![7; len].into(),
            ..Data::default()
        };
        self.receive(stream_id, FrameKind::Data(data))
    }

    fn sent(&mut self) -> Vec<Frame> {
        self.out
            .drain(..)
            .map(|message| Frame::decode(Bytes::from(message)).expect("a frame"))
            .collect()
    }

    fn greeted_with(limits: AnnouncedLimits) -> Self {
        let mut client = Self::new();
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        assert!(matches!(
            client.receive(0, FrameKind::Greeting(Box::new(greeting))),
            Ok(ClientEvent::Greeting(_))
        ));
        client
    }
}

fn end_code(event: Result<ClientEvent, ConnectionError>) -> Code {
    match event {
        Ok(ClientEvent::End { end, .. }) => end.status.expect("an end has a status").code(),
        other => panic!("no end: {other:?}"),
    }
}

fn is_none(event: Result<ClientEvent, ConnectionError>) -> bool {
    matches!(event, Ok(ClientEvent::None))
}
