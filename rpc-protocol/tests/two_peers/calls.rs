//! What both applications together know of the calls.

use std::collections::VecDeque;

use bytes::Bytes;
use rpc_protocol::{Code, StreamMessage};

use crate::random::{Random, body};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unary,
    OneWay,
    /// A stream of requests, and one response.
    Client,
    /// One request, and a stream of responses.
    Server,
    Bidirectional,
}

impl Kind {
    pub(crate) fn any(random: &mut Random) -> Self {
        match random.below(8) {
            0..=2 => Self::Unary,
            3 => Self::OneWay,
            4 => Self::Client,
            5 => Self::Server,
            _ => Self::Bidirectional,
        }
    }

    /// Whether the client sends a stream.
    pub(crate) fn streams_up(self) -> bool {
        matches!(self, Self::Client | Self::Bidirectional)
    }

    /// Whether the server sends a stream.
    pub(crate) fn streams_down(self) -> bool {
        matches!(self, Self::Server | Self::Bidirectional)
    }
}

/// What the client's application knows of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Waiting,
    OneWay,
    Cancelled,
    Done(Code),
}

pub(crate) struct Call {
    pub(crate) kind: Kind,
    pub(crate) fate: Fate,
    pub(crate) request: Bytes,
    /// The final response, once the handler gave one.
    pub(crate) response: Option<Bytes>,
    /// The response came as a stream.
    pub(crate) opened: bool,
    pub(crate) up: Way,
    pub(crate) down: Way,
    pub(crate) handler: Option<Handler>,
    /// The handler ended of its own, and what it sent before is owed.
    pub(crate) ended_well: bool,
}

/// A handler that runs.
#[derive(Default)]
pub(crate) struct Handler {
    /// The call was cancelled or ended early and only the handler is left.
    pub(crate) silent: bool,
    pub(crate) half_closed: bool,
    pub(crate) stopped_reading: bool,
}

/// The messages of a call in one direction.
#[derive(Default)]
pub(crate) struct Way {
    /// Sent, and not given to the application on the other side.
    pub(crate) underway: VecDeque<Bytes>,
    /// Given, and not consumed: what they count for.
    pub(crate) inbox: VecDeque<usize>,
    pub(crate) sent: u64,
    /// How many the sending application still has.
    pub(crate) left: usize,
    /// The sending application waits until it is told that it may go on.
    pub(crate) waits: bool,
    /// The sending application has closed this way.
    pub(crate) finished: bool,
    /// Nobody takes any more.
    pub(crate) stopped: bool,
}

impl Way {
    /// A message for this way, which is the next of `id`.
    pub(crate) fn next(&self, id: u64, heavy: bool, random: &mut Random) -> Bytes {
        random.body(heavy, id << 32 | self.sent << 1)
    }

    /// It is sent, now or when it may.
    pub(crate) fn is_sent(&mut self, message: Bytes) {
        self.underway.push_back(message);
        self.sent += 1;
        self.left -= 1;
    }

    /// It has come.
    pub(crate) fn has_come(&mut self, id: u64, message: &StreamMessage) {
        let sent = self.underway.pop_front();
        let sent = sent.unwrap_or_else(|| panic!("call {id}: a message that was not sent"));
        assert!(
            sent == message.body,
            "call {id}: messages come in order and whole"
        );
        self.inbox.push_back(message.cost());
    }

    /// Takes some of what waits; gives its cost.
    pub(crate) fn take(&mut self, count: usize) -> usize {
        let count = count.min(self.inbox.len());
        self.inbox.drain(..count).sum()
    }

    pub(crate) fn held(&self) -> usize {
        self.inbox.iter().sum()
    }
}

impl Call {
    pub(crate) fn new(kind: Kind, id: u64, heavy: bool, random: &mut Random) -> Self {
        let mut way = |streams: bool| Way {
            left: if streams { random.below(40) } else { 0 },
            ..Way::default()
        };
        let (up, down) = (way(kind.streams_up()), way(kind.streams_down()));
        let request = if kind.streams_up() {
            body(0, 0)
        } else {
            random.body(heavy, id)
        };
        Self {
            kind,
            fate: if kind == Kind::OneWay {
                Fate::OneWay
            } else {
                Fate::Waiting
            },
            request,
            response: None,
            opened: false,
            up,
            down,
            handler: None,
            ended_well: false,
        }
    }

    /// Whether the call ends by itself once its handler does.
    pub(crate) fn is_waiting(&self) -> bool {
        self.fate == Fate::Waiting
    }
}
