//! A client that sends anything, and a runtime that does anything it may: the server's end stays within its limits and
//! its windows, and what it sends for each call is a whole answer, once.

#![no_main]

mod answers;
mod operations;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rpc_protocol::frame::{
    AnnouncedLimits, Authenticate, AuthenticationPurpose, Compression, Credit, Data, End, GoAway, Greeting,
    Identity, Metadata, Ping, Pong, Request, Reset, Response,
};
use rpc_protocol::{Code, Frame, FrameKind, Limits, SendError, ServerConnection, ServerEvent};

use answers::Answers;
use operations::Operation;

const MAX_STREAMS: usize = 4;
const MAX_HELD: usize = 2 << 20;
const MAX_QUEUED: usize = 1 << 20;

struct Driver {
    connection: ServerConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    last_id: u64,
    /// Calls given to the application and not over.
    handlers: BTreeSet<u64>,
    /// What it was given of streams and did not consume.
    inboxes: BTreeMap<u64, Vec<usize>>,
    answers: Answers,
    drained: bool,
    /// Nobody is known who has to be.
    awaits: bool,
}

impl Driver {
    /// Feeds one message; `false` ends the connection.
    fn receive(&mut self, message: Bytes) -> bool {
        self.answers.client_sends(&message);
        let before = self.out.len();
        let event = self.connection.handle_message(message, self.now, &mut self.out);
        assert!(
            self.out.len() <= before + 3,
            "at most an answer and two credits for each that came"
        );
        self.answers.server_sends(&self.out[before..]);
        match event {
            Ok(ServerEvent::Request(request)) => {
                self.last_id = self.last_id.max(request.stream_id);
                assert!(self.handlers.insert(request.stream_id), "a call is given once");
            }
            Ok(ServerEvent::Message { stream_id, message }) => {
                assert!(
                    self.handlers.contains(&stream_id),
                    "only what runs is given messages"
                );
                self.inboxes.entry(stream_id).or_default().push(message.cost());
            }
            Ok(ServerEvent::HalfClosed { stream_id }) => assert!(self.handlers.contains(&stream_id)),
            Ok(ServerEvent::Cancelled { stream_id, .. }) => {
                assert!(self.handlers.contains(&stream_id), "only what runs is cancelled");
                self.inboxes.remove(&stream_id);
                self.answers.is_over(stream_id);
            }
            Ok(ServerEvent::Authenticate(authenticate)) => {
                assert!(AuthenticationPurpose::from_i32(authenticate.purpose).is_some());
                assert!(authenticate.metadata.len() <= Limits::default().max_metadata_entries);
            }
            Ok(ServerEvent::AuthenticateRefused { status, .. }) => assert_ne!(status.code(), Code::Ok),
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().len() <= 123, "fits a close frame");
                let _ = error.close_code();
                return false;
            }
        }
        true
    }

    fn command<T>(&mut self, command: impl FnOnce(&mut ServerConnection, &mut Vec<Vec<u8>>) -> T) -> T {
        let before = self.out.len();
        let result = command(&mut self.connection, &mut self.out);
        self.answers.server_sends(&self.out[before..]);
        result
    }

    fn is_over(&mut self, id: u64) {
        self.handlers.remove(&id);
        self.inboxes.remove(&id);
    }

    /// Does one operation; `false` ends the connection.
    fn operate(&mut self, operation: Operation) -> bool {
        let frame = |id: u64, kind: FrameKind| Frame::new(id, kind).to_bytes();
        let body = |len: u16, long: bool| vec![1; usize::from(len) * if long { 16 } else { 1 }];
        match operation {
            Operation::Bytes(bytes) => return self.receive(Bytes::from(bytes)),
            Operation::Request {
                step,
                method,
                flags,
                metadata,
                len,
            } => {
                let request = Request {
                    method,
                    metadata: vec![Metadata::text("key", "value"); usize::from(metadata)],
                    open: flags & 1 != 0,
                    more: flags & 6 == 6,
                    one_way: flags & 24 == 24,
                    timeout_us: u64::from(flags >> 5),
                    body: if flags & 1 != 0 {
                        Bytes::new()
                    } else {
                        body(len, false).into()
                    },
                    ..Request::default()
                };
                let id = self.last_id.saturating_add(u64::from(step % 8));
                self.last_id = id;
                let for_nobody = self.awaits && request.more && !request.open;
                let open = self.connection.open_streams();
                let lives = self.receive(frame(id, FrameKind::Request(request)));
                assert!(
                    !for_nobody || self.connection.open_streams() <= open,
                    "nothing is kept for a client that nobody knows"
                );
                return lives;
            }
            Operation::Reset { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::Reset(Reset { code: 1 })));
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
                return self.receive(frame(stream_id.into(), FrameKind::Data(data)));
            }
            Operation::HalfClose { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::End(End::default())));
            }
            Operation::Credit { stream_id, bytes } => {
                return self.receive(frame(stream_id.into(), FrameKind::Credit(Credit { bytes })));
            }
            Operation::Greeting {
                stream,
                connection,
                frame: part,
                message,
            } => {
                let limits = AnnouncedLimits {
                    stream_window_bytes: stream.into(),
                    connection_window_bytes: connection.into(),
                    max_frame_body_bytes: part.into(),
                    max_message_bytes: message.into(),
                    ..AnnouncedLimits::default()
                };
                let greeting = Greeting {
                    limits: Some(limits),
                    ..Greeting::default()
                };
                return self.receive(frame(0, FrameKind::Greeting(Box::new(greeting))));
            }
            Operation::Unknown { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::Unknown));
            }
            Operation::Ping => return self.receive(frame(0, FrameKind::Ping(Ping { payload: 1 }))),
            Operation::Pong { payload } => {
                let payload = payload.into();
                return self.receive(frame(0, FrameKind::Pong(Pong { payload })));
            }
            Operation::Authenticate { purpose, metadata } => {
                let authenticate = Authenticate {
                    purpose: purpose.into(),
                    metadata: vec![Metadata::text("key", "value"); usize::from(metadata)],
                    ..Authenticate::default()
                };
                return self.receive(frame(0, FrameKind::Authenticate(Box::new(authenticate))));
            }
            Operation::AwaitAuthentication { awaits } => {
                self.connection.await_authentication(awaits);
                self.awaits = awaits;
            }
            Operation::Identity { request_id } => {
                let identity = Identity {
                    request_id: request_id.into(),
                    ..Identity::default()
                };
                self.command(|connection, out| connection.identity(&identity, out));
            }
            Operation::Measure => {
                let now = self.now;
                self.command(|connection, out| connection.ping(now, out));
            }
            Operation::Park { stream_id } => self.connection.park(stream_id.into()),
            Operation::Respond { stream_id, len, long } if !self.answers.is_open(stream_id.into()) => {
                let _ = self.command(|connection, out| {
                    connection.respond(stream_id.into(), &Response::default(), &body(len, long), out)
                });
                self.is_over(stream_id.into());
            }
            Operation::Respond { .. } => {}
            Operation::OpenResponse { stream_id } => {
                let _ = self
                    .command(|connection, out| connection.open_response(stream_id.into(), Vec::new(), out));
            }
            Operation::Send { stream_id, len, long } => {
                let writable = self.connection.is_writable(stream_id.into());
                let sent = self.command(|connection, out| {
                    connection.send(stream_id.into(), Compression::NONE, &body(len, long), out)
                });
                assert!(
                    !writable || !matches!(sent, Err(SendError::Busy | SendError::Closed)),
                    "what is writable takes a message: {sent:?}"
                );
            }
            Operation::Fail { stream_id, code } => {
                let end = End::new(Code::from_i32(code.into()), "text");
                let _ = self.command(|connection, out| connection.end(stream_id.into(), &end, out));
                self.is_over(stream_id.into());
            }
            Operation::EndRunning { stream_id } => {
                let _ = self.command(|connection, out| {
                    connection.end_running(stream_id.into(), &End::default(), out)
                });
                self.inboxes.remove(&stream_id.into());
            }
            Operation::Finished { stream_id } => {
                let id = stream_id.into();
                self.connection.finished(id);
                if self.handlers.contains(&id) {
                    self.answers.is_over(id);
                }
                self.is_over(id);
            }
            Operation::Consumed { stream_id, messages } => {
                if let Some(inbox) = self.inboxes.get_mut(&stream_id.into()) {
                    let count = usize::from(messages).min(inbox.len());
                    let cost = inbox.drain(..count).sum();
                    self.command(|connection, out| connection.consumed(stream_id.into(), cost, out));
                }
            }
            Operation::StopReading { stream_id } => {
                self.command(|connection, out| connection.stop_reading(stream_id.into(), out));
                self.inboxes.remove(&stream_id.into());
            }
            Operation::Transmit { room } => {
                self.command(|connection, out| connection.transmit(room as usize % (1 << 20), out));
                let mut told = 0;
                while let Some(id) = self.connection.poll_writable() {
                    assert!(self.connection.is_writable(id), "call {id}");
                    told += 1;
                    assert!(told <= 2 * MAX_STREAMS, "each about once");
                }
            }
            Operation::Fault => return self.connection.fault(self.now).is_ok(),
            Operation::Flushed => {
                self.out.clear();
                self.connection.handle_flushed();
            }
            Operation::Drain => {
                self.drained = true;
                self.command(|connection, out| connection.go_away(GoAway::default(), out));
            }
            Operation::Pass { milliseconds } => self.now += Duration::from_millis(milliseconds.into()),
            Operation::Timeout => {
                let now = self.now;
                return self
                    .command(|connection, out| connection.handle_timeout(now, out))
                    .is_ok();
            }
        }
        true
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut limits = Limits::default();
    limits.max_streams = MAX_STREAMS;
    limits.max_pending_bytes = MAX_HELD;
    limits.max_queued_bytes = MAX_QUEUED;
    let now = Instant::now();
    let mut driver = Driver {
        connection: ServerConnection::new(limits, now),
        now,
        out: Vec::new(),
        last_id: 0,
        handlers: BTreeSet::new(),
        inboxes: BTreeMap::new(),
        answers: Answers::default(),
        drained: false,
        awaits: false,
    };
    driver.connection.greet(Greeting::default(), &mut driver.out);
    for operation in operations {
        if !driver.operate(operation) {
            return;
        }
        assert!(driver.connection.open_streams() <= MAX_STREAMS, "the limit holds");
        assert!(
            driver.connection.queued_bytes() <= MAX_QUEUED,
            "what waits is bounded"
        );
        let held: usize = driver.inboxes.values().flatten().sum();
        assert!(
            held <= MAX_HELD + (1 << 20) + 64,
            "what is held is bounded: {held}"
        );
    }
    // Everything ends, and nothing is left.
    for id in std::mem::take(&mut driver.handlers) {
        let _ = driver.command(|connection, out| connection.end_running(id, &End::default(), out));
        driver.connection.finished(id);
    }
});
