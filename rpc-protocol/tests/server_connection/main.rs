//! The server's end against a client that misbehaves, on a virtual clock: the lines of the threat model that concern
//! frames and streams, one test each.

mod calls;
mod floods;
mod identity;
mod queues;
mod streams;
mod violations;
mod windows;

use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::frame::{AnnouncedLimits, Data, End, Greeting, Request, Reset};
use rpc_protocol::{Code, ConnectionError, Frame, FrameKind, Limits, ServerConnection, ServerEvent};

/// A server's end, a clock that only the test moves, and what was sent.
struct Server {
    connection: ServerConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    next_id: u64,
}

impl Server {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        let now = Instant::now();
        Self {
            connection: ServerConnection::new(limits, now),
            now,
            out: Vec::new(),
            next_id: 1,
        }
    }

    fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    fn receive(&mut self, stream_id: u64, kind: FrameKind) -> Result<ServerEvent, ConnectionError> {
        self.connection
            .handle_message(Frame::new(stream_id, kind).to_bytes(), self.now, &mut self.out)
    }

    /// A request under the next id.
    fn request(&mut self, request: Request) -> Result<ServerEvent, ConnectionError> {
        let id = self.next_id;
        self.next_id += 1;
        self.receive(id, FrameKind::Request(request))
    }

    /// Opens a call whose handler does not end at once, and gives its id.
    fn open(&mut self) -> u64 {
        match self.request(Request {
            method: 7,
            ..Request::default()
        }) {
            Ok(ServerEvent::Request(request)) => {
                self.connection.park(request.stream_id);
                request.stream_id
            }
            other => panic!("no call: {other:?}"),
        }
    }

    /// Opens a call on which the client goes on sending.
    fn open_stream(&mut self) -> u64 {
        let request = Request {
            method: 7,
            open: true,
            ..Request::default()
        };
        match self.request(request) {
            Ok(ServerEvent::Request(request)) if request.open => request.stream_id,
            other => panic!("no call: {other:?}"),
        }
    }

    fn data(&mut self, stream_id: u64, more: bool, len: usize) -> Result<ServerEvent, ConnectionError> {
        let data = Data {
            more,
            body: vec![7; len].into(),
            ..Data::default()
        };
        self.receive(stream_id, FrameKind::Data(data))
    }

    fn half_close(&mut self, stream_id: u64) -> Result<ServerEvent, ConnectionError> {
        self.receive(stream_id, FrameKind::End(End::default()))
    }

    /// The client says what it accepts.
    fn greeting(&mut self, limits: AnnouncedLimits) {
        let greeting = Greeting {
            limits: Some(limits),
            ..Greeting::default()
        };
        self.receive(0, FrameKind::Greeting(Box::new(greeting)))
            .expect("a greeting");
    }

    fn reset(&mut self, stream_id: u64) -> Result<ServerEvent, ConnectionError> {
        self.receive(stream_id, FrameKind::Reset(Reset { code: 1 }))
    }

    /// What was sent since the last time.
    fn sent(&mut self) -> Vec<Frame> {
        self.out
            .drain(..)
            .map(|message| Frame::decode(Bytes::from(message)).expect("a frame"))
            .collect()
    }

    /// The code of the one end that was sent.
    fn sent_end(&mut self) -> (u64, Code) {
        match &self.sent()[..] {
            [
                Frame {
                    stream_id,
                    kind: FrameKind::End(end),
                },
            ] => (*stream_id, end.status.as_ref().expect("a status").code()),
            other => panic!("not one end: {other:?}"),
        }
    }
}

fn is_none(event: Result<ServerEvent, ConnectionError>) -> bool {
    matches!(event, Ok(ServerEvent::None))
}
