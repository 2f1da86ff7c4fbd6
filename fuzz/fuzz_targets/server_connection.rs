//! A client that sends anything, and a runtime that does anything it may: the server's end stays within its limits and
//! answers each call at most once.

#![no_main]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use rpc_protocol::frame::{Data, End, GoAway, Greeting, Metadata, Ping, Pong, Request, Reset, Response};
use rpc_protocol::{Code, Frame, FrameKind, Limits, ServerConnection, ServerEvent};

#[derive(Arbitrary, Debug)]
enum Operation {
    /// The client sends bytes that may be no frame.
    Bytes(Vec<u8>),
    /// The client opens a call, this far above the last.
    Request {
        step: u8,
        method: u64,
        flags: u8,
        metadata: u8,
        body: Vec<u8>,
    },
    Reset {
        stream_id: u8,
    },
    Data {
        stream_id: u8,
    },
    End {
        stream_id: u8,
    },
    Ping,
    Pong,
    Unknown {
        stream_id: u8,
    },
    /// The runtime leaves the call in hand for later.
    Park {
        stream_id: u8,
    },
    Respond {
        stream_id: u8,
        len: u16,
    },
    Fail {
        stream_id: u8,
        code: u8,
    },
    EndRunning {
        stream_id: u8,
    },
    Finished {
        stream_id: u8,
    },
    Fault,
    Flushed,
    Drain,
    Pass {
        milliseconds: u16,
    },
    Timeout,
}

const MAX_STREAMS: usize = 4;

struct Driver {
    connection: ServerConnection,
    now: Instant,
    out: Vec<Vec<u8>>,
    last_id: u64,
    /// Calls given to the application.
    given: BTreeSet<u64>,
    /// Calls that were answered or cancelled: nothing may be sent for them.
    over: BTreeSet<u64>,
}

impl Driver {
    /// Feeds one message; `false` ends the connection.
    fn receive(&mut self, message: Bytes) -> bool {
        let before = self.out.len();
        let event = self.connection.handle_message(message, self.now, &mut self.out);
        assert!(
            self.out.len() <= before + 1,
            "at most one frame for each that came"
        );
        match event {
            Ok(ServerEvent::Request(request)) => {
                self.last_id = request.stream_id;
                assert!(self.given.insert(request.stream_id), "a call is given once");
                if request.one_way {
                    self.over.insert(request.stream_id);
                }
            }
            Ok(ServerEvent::Cancelled { stream_id, .. }) => {
                assert!(self.given.contains(&stream_id), "only what runs is cancelled");
                self.check_sent(before);
                self.over.insert(stream_id);
                return true;
            }
            Ok(_) => {}
            Err(error) => {
                assert!(error.to_string().len() <= 123, "fits a close frame");
                let _ = error.close_code();
                return false;
            }
        }
        self.check_sent(before);
        true
    }

    /// What was written since is whole, and ends or answers no call twice.
    fn check_sent(&mut self, before: usize) {
        for message in &self.out[before..] {
            let frame = Frame::decode(Bytes::copy_from_slice(message)).expect("a frame");
            if frame.stream_id != 0 {
                assert!(
                    self.over.insert(frame.stream_id),
                    "a call is answered once, and not after a cancel"
                );
            }
        }
    }

    fn command(&mut self, command: impl FnOnce(&mut ServerConnection, &mut Vec<Vec<u8>>)) {
        let before = self.out.len();
        command(&mut self.connection, &mut self.out);
        assert!(self.out.len() <= before + 1, "at most one frame for each command");
        self.check_sent(before);
    }

    /// Does one operation; `false` ends the connection.
    fn operate(&mut self, operation: Operation) -> bool {
        let frame = |id: u64, kind: FrameKind| Frame::new(id, kind).to_bytes();
        match operation {
            Operation::Bytes(bytes) => return self.receive(Bytes::from(bytes)),
            Operation::Request {
                step,
                method,
                flags,
                metadata,
                body,
            } => {
                let request = Request {
                    method,
                    metadata: vec![Metadata::text("key", "value"); usize::from(metadata)],
                    open: flags & 3 == 3,
                    more: flags & 12 == 12,
                    one_way: flags & 16 != 0,
                    timeout_us: u64::from(flags >> 5),
                    body: Bytes::from(body),
                    ..Request::default()
                };
                let id = self.last_id.saturating_add(u64::from(step % 8));
                self.last_id = id;
                return self.receive(frame(id, FrameKind::Request(request)));
            }
            Operation::Reset { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::Reset(Reset { code: 1 })));
            }
            Operation::Data { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::Data(Data::default())));
            }
            Operation::End { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::End(End::default())));
            }
            Operation::Unknown { stream_id } => {
                return self.receive(frame(stream_id.into(), FrameKind::Unknown));
            }
            Operation::Ping => return self.receive(frame(0, FrameKind::Ping(Ping { payload: 1 }))),
            Operation::Pong => return self.receive(frame(0, FrameKind::Pong(Pong { payload: 1 }))),
            Operation::Park { stream_id } => self.connection.park(stream_id.into()),
            Operation::Respond { stream_id, len } => self.command(|connection, out| {
                let body = vec![1; len.into()];
                let _ = connection.respond(stream_id.into(), &Response::default(), &body, out);
            }),
            Operation::Fail { stream_id, code } => self.command(|connection, out| {
                let end = End::new(Code::from_i32(code.into()), "text");
                let _ = connection.end(stream_id.into(), &end, out);
            }),
            Operation::EndRunning { stream_id } => self.command(|connection, out| {
                let _ = connection.end_running(stream_id.into(), &End::default(), out);
            }),
            Operation::Finished { stream_id } => {
                self.connection.finished(stream_id.into());
                if self.given.contains(&stream_id.into()) {
                    self.over.insert(stream_id.into());
                }
            }
            Operation::Fault => return self.connection.fault(self.now).is_ok(),
            Operation::Flushed => {
                self.out.clear();
                self.connection.handle_flushed();
            }
            Operation::Drain => {
                self.command(|connection, out| connection.go_away(GoAway::default(), out));
            }
            Operation::Pass { milliseconds } => self.now += Duration::from_millis(milliseconds.into()),
            Operation::Timeout => {
                let now = self.now;
                let before = self.out.len();
                let result = self.connection.handle_timeout(now, &mut self.out);
                self.check_sent(before);
                return result.is_ok();
            }
        }
        true
    }
}

fuzz_target!(|operations: Vec<Operation>| {
    let mut limits = Limits::default();
    limits.max_streams = MAX_STREAMS;
    let now = Instant::now();
    let mut driver = Driver {
        connection: ServerConnection::new(limits, now),
        now,
        out: Vec::new(),
        last_id: 0,
        given: BTreeSet::new(),
        over: BTreeSet::new(),
    };
    driver.connection.greet(Greeting::default(), &mut driver.out);
    for operation in operations {
        if !driver.operate(operation) {
            break;
        }
        assert!(driver.connection.open_streams() <= MAX_STREAMS, "the limit holds");
    }
});
