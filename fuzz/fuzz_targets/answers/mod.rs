//! What a server may send, told from the frames alone: each call gets one whole answer, and no window is violated.

use std::collections::BTreeMap;

use bytes::Bytes;
use rpc_protocol::{DATA_FRAME_COST, Frame, FrameKind};

const STREAM: i128 = 256 << 10;
const CONNECTION: i128 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// The response is a stream.
    Open,
    /// The final response goes on.
    Parts,
    /// Nothing more may be sent.
    Over,
}

/// See the module.
#[derive(Debug)]
pub struct Answers {
    answers: BTreeMap<u64, Answer>,
    greeted: bool,
    /// What is left of the window of each stream that was sent on or got credit, without what the greeting adds.
    streams: BTreeMap<u64, i128>,
    stream_grown: i128,
    connection: i128,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            answers: BTreeMap::new(),
            greeted: false,
            streams: BTreeMap::new(),
            stream_grown: 0,
            connection: CONNECTION,
        }
    }
}

impl Answers {
    /// A message of the client's, which may be nothing.
    pub fn client_sends(&mut self, message: &Bytes) {
        let Ok(frame) = Frame::decode(message.clone()) else {
            return;
        };
        match &frame.kind {
            FrameKind::Credit(credit) => match frame.stream_id {
                0 => self.connection += i128::from(credit.bytes),
                id => *self.streams.entry(id).or_insert(STREAM) += i128::from(credit.bytes),
            },
            FrameKind::Greeting(greeting) if frame.stream_id == 0 && !self.greeted => {
                self.greeted = true;
                if let Some(limits) = &greeting.limits {
                    self.connection += (i128::from(limits.connection_window_bytes) - CONNECTION).max(0);
                    self.stream_grown = (i128::from(limits.stream_window_bytes) - STREAM).max(0);
                }
            }
            FrameKind::Reset(_) => self.is_over(frame.stream_id),
            _ => {}
        }
    }

    /// Nothing more may be sent for a call.
    pub fn is_over(&mut self, id: u64) {
        self.answers.insert(id, Answer::Over);
    }

    /// Whether the response of a call is a stream.
    pub fn is_open(&self, id: u64) -> bool {
        self.answers.get(&id) == Some(&Answer::Open)
    }

    /// Messages of the server's.
    pub fn server_sends(&mut self, messages: &[Vec<u8>]) {
        for message in messages {
            let frame = Frame::decode(Bytes::copy_from_slice(message)).expect("a frame");
            if frame.stream_id != 0 {
                self.server_sends_for(frame.stream_id, &frame.kind);
            }
        }
    }

    fn server_sends_for(&mut self, id: u64, kind: &FrameKind) {
        let answer = self.answers.get(&id).copied();
        assert_ne!(
            answer,
            Some(Answer::Over),
            "nothing is sent for call {id} any more: {kind:?}"
        );
        let next = match kind {
            FrameKind::Response(response) => {
                assert_eq!(answer, None, "call {id} gets one response");
                assert!(!response.open || response.body.is_empty());
                self.spend(id, response.body.len(), 0);
                match (response.open, response.more) {
                    (true, _) => Answer::Open,
                    (false, true) => Answer::Parts,
                    (false, false) => Answer::Over,
                }
            }
            FrameKind::Data(data) => {
                let cost = data.body.len() + DATA_FRAME_COST;
                self.spend(id, cost, cost);
                match answer {
                    Some(Answer::Open) => Answer::Open,
                    Some(Answer::Parts) if data.more => Answer::Parts,
                    Some(Answer::Parts) => Answer::Over,
                    other => panic!("data for call {id} after {other:?}"),
                }
            }
            FrameKind::End(_) => Answer::Over,
            FrameKind::Credit(_) | FrameKind::Reset(_) => return,
            kind => panic!("for call {id}: {kind:?}"),
        };
        self.answers.insert(id, next);
    }

    fn spend(&mut self, id: u64, connection: usize, stream: usize) {
        if connection > 0 {
            assert!(self.connection > 0, "the connection's window holds");
            self.connection -= connection as i128;
        }
        if stream > 0 {
            let window = self.streams.entry(id).or_insert(STREAM);
            assert!(*window + self.stream_grown > 0, "the window of call {id} holds");
            *window -= stream as i128;
        }
    }
}
