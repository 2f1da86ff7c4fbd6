//! A server that sends anything, and an application that does anything it may: each call gets at most one outcome, what is
//! held and what waits stays within the limits, and nothing is left once all calls are given up.

#![no_main]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rpc_protocol::frame::{
    AnnouncedLimits, Authenticate, Compression, Credit, Data, End, GoAway, Greeting, Identity, Metadata,
    Ping, Pong, Request, Reset, Response,
};
use rpc_protocol::{ClientConnection, ClientEvent, Code, Frame, FrameKind, Limits, SendError};

/// What a turn lets go at once. The peer may ask for frames of some bytes each, in which a long body is a hundred times as long.
fn room_of(room: u32) -> usize {
    room as usize % (1 << 20)
}

#[derive(Arbitrary, Debug)]
enum Operation {
    /// The server sends bytes that may be no frame.
    Bytes(Vec<u8>),
    Response {
        stream_id: u8,
        flags: u8,
        metadata: u8,
        len: u16,
    },
    Data {
        stream_id: u8,
        flags: u8,
        len: u16,
    },
    End {
        stream_id: u8,
        code: u8,
    },
    Reset {
        stream_id: u8,
    },
    Credit {
        stream_id: u8,
        bytes: u64,
    },
    Greeting {
        streams: u8,
        stream: u32,
        connection: u32,
        frame: u32,
        message: u32,
        body: u32,
    },
    GoAway {
        last: u8,
    },
    Ping,
    Open {
        flags: u8,
        len: u16,
        long: bool,
    },
    Send {
        stream_id: u8,
        len: u16,
        long: bool,
    },
    Finish {
        stream_id: u8,
    },
    Cancel {
        stream_id: u8,
    },
    Consumed {
        stream_id: u8,
        messages: u8,
    },
    Transmit {
        room: u32,
    },
    Greet,
    Authenticate {
        len: u16,
    },
    /// The server says who the client is.
    Identity {
        request_id: u8,
    },
    /// The client measures the round-trip time.
    Measure,
    Pong {
        payload: u8,
    },
    Flushed,
    Pass {
        milliseconds: u16,
    },
    Timeout,
}

const MAX_HELD: usize = 2 << 20;
const MAX_QUEUED: usize = 1 << 20;

struct Driver {
    connection: ClientConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    greeted: bool,
    /// How often it has authenticated.
    authentications: u64,
    /// Calls that wait for their outcome, with what came of their streams and was not consumed.
    waiting: BTreeMap<u64, Vec<usize>>,
}

impl Driver {
    /// Feeds one message; `false` ends the connection.
    fn receive(&mut self, stream_id: u64, kind: FrameKind) -> bool {
        self.receive_bytes(Frame::new(stream_id, kind).to_bytes())
    }

    fn receive_bytes(&mut self, message: Bytes) -> bool {
        match self.connection.handle_message(message, self.now, &mut self.out) {
            Ok(ClientEvent::Response { stream_id, response }) => {
                assert!(!response.open && !response.more);
                self.outcome(stream_id);
            }
            Ok(ClientEvent::End { stream_id, .. }) => self.outcome(stream_id),
            Ok(ClientEvent::Opened { stream_id, .. }) => assert!(self.waiting.contains_key(&stream_id)),
            Ok(ClientEvent::Message { stream_id, message }) => {
                let inbox = self.waiting.get_mut(&stream_id).expect("a call that waits");
                inbox.push(message.cost());
            }
            Ok(ClientEvent::StopSending { stream_id }) => {
                let sent = self
                    .connection
                    .send(stream_id, Compression::NONE, &(), &mut self.out);
                assert_eq!(sent, Err(SendError::Closed));
            }
            Ok(ClientEvent::Identity(identity)) => assert!(
                identity.request_id <= self.authentications,
                "an answer to what was asked"
            ),
            Ok(ClientEvent::GoAway { not_run, .. }) => {
                for stream_id in not_run {
                    // One-way calls that have not left are among them.
                    self.waiting.remove(&stream_id);
                }
            }
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().len() <= 123, "fits a close frame");
                return false;
            }
        }
        true
    }

    fn outcome(&mut self, stream_id: u64) {
        assert!(
            self.waiting.remove(&stream_id).is_some(),
            "one outcome for call {stream_id}"
        );
    }

    /// Does one operation; `false` ends the connection.
    fn operate(&mut self, operation: Operation) -> bool {
        let body = |len: u16, long: bool| vec![1; usize::from(len) * if long { 16 } else { 1 }];
        match operation {
            Operation::Bytes(bytes) => return self.receive_bytes(bytes.into()),
            Operation::Response {
                stream_id,
                flags,
                metadata,
                len,
            } => {
                let response = Response {
                    open: flags & 1 != 0,
                    more: flags & 6 == 6,
                    compression: Compression(i32::from(flags >> 6)),
                    metadata: vec![Metadata::text("key", "value"); usize::from(metadata)],
                    body: if flags & 1 != 0 {
                        Bytes::new()
                    } else {
                        body(len, false).into()
                    },
                    ..Response::default()
                };
                return self.receive(stream_id.into(), FrameKind::Response(response));
            }
            Operation::Data {
                stream_id,
                flags,
                len,
            } => {
                let data = Data {
                    more: flags & 3 == 3,
                    compression: Compression(i32::from(flags >> 6)),
                    body: body(len, flags & 4 != 0).into(),
                };
                return self.receive(stream_id.into(), FrameKind::Data(data));
            }
            Operation::End { stream_id, code } => {
                let end = End::new(Code::from_i32(code.into()), "text");
                return self.receive(stream_id.into(), FrameKind::End(end));
            }
            Operation::Reset { stream_id } => {
                return self.receive(stream_id.into(), FrameKind::Reset(Reset { code: 1 }));
            }
            Operation::Credit { stream_id, bytes } => {
                return self.receive(stream_id.into(), FrameKind::Credit(Credit { bytes }));
            }
            Operation::Greeting {
                streams,
                stream,
                connection,
                frame,
                message,
                body,
            } => {
                let limits = AnnouncedLimits {
                    max_streams: streams.into(),
                    stream_window_bytes: stream.into(),
                    connection_window_bytes: connection.into(),
                    max_frame_body_bytes: frame.into(),
                    max_message_bytes: message.into(),
                    max_body_bytes: body.into(),
                    ..AnnouncedLimits::default()
                };
                let greeting = Greeting {
                    limits: Some(limits),
                    ..Greeting::default()
                };
                return self.receive(0, FrameKind::Greeting(Box::new(greeting)));
            }
            Operation::GoAway { last } => {
                let go_away = GoAway {
                    last_stream_id: last.into(),
                    ..GoAway::default()
                };
                return self.receive(0, FrameKind::GoAway(go_away));
            }
            Operation::Ping => return self.receive(0, FrameKind::Ping(Ping { payload: 1 })),
            Operation::Open { flags, len, long } => {
                let open = flags & 1 != 0;
                let request = Request {
                    method: 7,
                    open,
                    one_way: !open && flags & 6 == 6,
                    ..Request::default()
                };
                let body = if open { Vec::new() } else { body(len, long) };
                if let Ok(stream_id) = self.connection.open(&request, &body, &mut self.out)
                    && !request.one_way
                {
                    self.waiting.insert(stream_id, Vec::new());
                }
            }
            Operation::Send { stream_id, len, long } => {
                let id = stream_id.into();
                let writable = self.connection.is_writable(id);
                let sent = self
                    .connection
                    .send(id, Compression::NONE, &body(len, long), &mut self.out);
                assert!(
                    !writable || !matches!(sent, Err(SendError::Busy | SendError::Closed)),
                    "what is writable takes a message: {sent:?}"
                );
            }
            Operation::Finish { stream_id } => self.connection.finish(stream_id.into(), &mut self.out),
            Operation::Cancel { stream_id } => {
                self.connection.cancel(stream_id.into(), &mut self.out);
                self.waiting.remove(&stream_id.into());
            }
            Operation::Consumed { stream_id, messages } => {
                if let Some(inbox) = self.waiting.get_mut(&stream_id.into()) {
                    let count = usize::from(messages).min(inbox.len());
                    let cost = inbox.drain(..count).sum();
                    self.connection.consumed(stream_id.into(), cost, &mut self.out);
                }
            }
            Operation::Transmit { room } => {
                self.connection.transmit(room_of(room), &mut self.out);
                while let Some(id) = self.connection.poll_writable() {
                    assert!(self.connection.is_writable(id), "call {id}");
                }
            }
            Operation::Greet if !self.greeted => {
                self.greeted = true;
                self.connection.greet(Greeting::default(), &mut self.out);
            }
            Operation::Greet => {}
            Operation::Authenticate { len } => {
                let authenticate = Authenticate {
                    credential: body(len, false).into(),
                    ..Authenticate::default()
                };
                if let Ok(id) = self.connection.authenticate(authenticate, &mut self.out) {
                    self.authentications += 1;
                    assert_eq!(id, self.authentications, "numbered in their order");
                }
            }
            Operation::Identity { request_id } => {
                let identity = Identity {
                    request_id: request_id.into(),
                    ..Identity::default()
                };
                return self.receive(0, FrameKind::Identity(Box::new(identity)));
            }
            Operation::Measure => {
                let before = self.out.len();
                let written = self.connection.ping(self.now, &mut self.out);
                assert_eq!(self.out.len() - before, usize::from(written));
            }
            Operation::Pong { payload } => {
                let payload = payload.into();
                return self.receive(0, FrameKind::Pong(Pong { payload }));
            }
            Operation::Flushed => {
                self.out.clear();
                self.connection.handle_flushed();
            }
            Operation::Pass { milliseconds } => self.now += Duration::from_millis(milliseconds.into()),
            Operation::Timeout => {
                return self.connection.handle_timeout(self.now, &mut self.out).is_ok();
            }
        }
        true
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut limits = Limits::default();
    limits.max_pending_bytes = MAX_HELD;
    limits.max_queued_bytes = MAX_QUEUED;
    let now = Instant::now();
    let mut driver = Driver {
        connection: ClientConnection::new(limits, now),
        now,
        out: Vec::new(),
        greeted: false,
        authentications: 0,
        waiting: BTreeMap::new(),
    };
    for operation in operations {
        if !driver.operate(operation) {
            return;
        }
        for message in driver.out.drain(..) {
            Frame::decode(Bytes::from(message)).expect("a frame");
        }
        assert!(
            driver.connection.queued_bytes() <= MAX_QUEUED,
            "what waits is bounded"
        );
        let held: usize = driver.waiting.values().flatten().sum();
        assert!(
            held <= MAX_HELD + (1 << 20) + 64,
            "what is held is bounded: {held}"
        );
        assert!(driver.connection.open_streams() >= driver.waiting.len());
    }
    let left: Vec<u64> = driver.connection.waiting().collect();
    for id in left {
        driver.connection.cancel(id, &mut driver.out);
    }
    assert_eq!(driver.connection.open_streams(), 0);
    assert_eq!(driver.connection.queued_bytes(), 0);
});
