//! The two ways between the peers, and an account of the windows that knows nothing but the frames that pass.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rpc_protocol::{Frame, FrameKind};

use crate::random::Random;

/// Messages on their way, in order, each with the time of its arrival.
#[derive(Default)]
pub(crate) struct Link(VecDeque<(Instant, Bytes)>);

impl Link {
    pub(crate) fn send(&mut self, message: Bytes, now: Instant, random: &mut Random) {
        let delay = Duration::from_millis(random.below(80) as u64);
        let after = self.0.back().map_or(now, |(last, _)| (*last).max(now));
        // Some come in one piece with those before them.
        let at = if random.one_in(3) {
            after
        } else {
            after.max(now + delay)
        };
        self.0.push_back((at, message));
    }

    pub(crate) fn arrived(&mut self, now: Instant) -> Option<Bytes> {
        self.0
            .pop_front_if(|(at, _)| *at <= now)
            .map(|(_, message)| message)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const STREAM: i64 = 256 << 10;
const CONNECTION: i64 = 1 << 20;
const DATA: i64 = 32;

/// What one side believes of the windows for bodies that go one way.
struct View {
    connection: i64,
    connection_size: i64,
    stream_size: i64,
    streams: BTreeMap<u64, i64>,
}

impl View {
    fn new() -> Self {
        Self {
            connection: CONNECTION,
            connection_size: CONNECTION,
            stream_size: STREAM,
            streams: BTreeMap::new(),
        }
    }

    fn window(&mut self, id: u64) -> &mut i64 {
        match id {
            0 => &mut self.connection,
            id => self.streams.entry(id).or_insert(self.stream_size),
        }
    }

    fn greeting(&mut self, frame: &Frame) {
        if let FrameKind::Greeting(greeting) = &frame.kind {
            let limits = greeting.limits.as_ref().expect("limits");
            let size = |announced: u64, least: i64| (announced as i64).max(least);
            let connection = size(limits.connection_window_bytes, CONNECTION);
            self.connection += connection - self.connection_size;
            self.connection_size = connection;
            let stream = size(limits.stream_window_bytes, STREAM);
            for window in self.streams.values_mut() {
                *window += stream - self.stream_size;
            }
            self.stream_size = stream;
        }
    }
}

/// The windows for bodies that go one way, as both sides see them.
pub(crate) struct Windows {
    sender: View,
    receiver: View,
}

/// What a frame takes of the connection's and of its stream's window.
fn costs(frame: &Frame) -> (i64, i64) {
    match &frame.kind {
        FrameKind::Request(kind) => (kind.body.len() as i64, 0),
        FrameKind::Response(kind) => (kind.body.len() as i64, 0),
        FrameKind::Data(kind) => (kind.body.len() as i64 + DATA, kind.body.len() as i64 + DATA),
        _ => (0, 0),
    }
}

impl Windows {
    pub(crate) fn new() -> Self {
        Self {
            sender: View::new(),
            receiver: View::new(),
        }
    }

    /// The sender of bodies sends.
    pub(crate) fn sent(&mut self, frame: &Frame) {
        let (connection, stream) = costs(frame);
        if connection > 0 {
            assert!(self.sender.connection > 0, "the connection's window holds");
            self.sender.connection -= connection;
        }
        if stream > 0 {
            let window = self.sender.window(frame.stream_id);
            assert!(*window > 0, "the window of stream {} holds", frame.stream_id);
            *window -= stream;
        }
    }

    /// The receiver of bodies receives.
    pub(crate) fn received(&mut self, frame: &Frame) {
        let (connection, stream) = costs(frame);
        assert!(
            self.receiver.connection >= self.sender.connection,
            "the receiver allows what the sender takes for allowed"
        );
        self.receiver.connection -= connection;
        if stream > 0 {
            *self.receiver.window(frame.stream_id) -= stream;
        }
    }

    /// The receiver of bodies sends, maybe credit.
    pub(crate) fn answered(&mut self, frame: &Frame) {
        self.receiver.greeting(frame);
        if let FrameKind::Credit(credit) = frame.kind {
            let size = match frame.stream_id {
                0 => self.receiver.connection_size,
                _ => self.receiver.stream_size,
            };
            let window = self.receiver.window(frame.stream_id);
            *window += credit.bytes as i64;
            assert!(
                *window <= size,
                "no more credit for {} than what came",
                frame.stream_id
            );
            assert!(credit.bytes as i64 >= size / 2, "credit is worth a frame");
        }
    }

    /// What the receiver sent reaches the sender.
    pub(crate) fn told(&mut self, frame: &Frame) {
        self.sender.greeting(frame);
        if let FrameKind::Credit(credit) = frame.kind {
            *self.sender.window(frame.stream_id) += credit.bytes as i64;
        }
    }

    /// Whether the sender may send a body, as far as the connection is concerned.
    pub(crate) fn is_open(&self) -> bool {
        self.sender.connection > 0
    }

    /// Everything has arrived and is consumed: both agree, and of the connection's window no more is out than what is not
    /// worth a frame.
    pub(crate) fn check_settled(&self) {
        let View {
            connection,
            connection_size,
            ..
        } = self.receiver;
        assert_eq!(connection, self.sender.connection, "both sides count alike");
        assert!(
            connection_size / 2 < connection && connection <= connection_size,
            "{connection} is left of {connection_size}: credit is lost"
        );
    }
}
