//! One direction of a connection that may be lost: what is on its way, and what is kept to be sent again.

use bytes::Bytes;
use rpc_protocol::{Again, Output, Replay};

/// What each side keeps of frames of calls ...
pub const CALLS: usize = 64 << 10;

/// ... and the server of events.
pub const EVENTS: usize = 8 << 10;

/// What one end has written and the other has not read, and what it keeps.
pub struct Line {
    pub messages: Vec<Vec<u8>>,
    /// So many of them the replay knows of.
    pub known: usize,
    pub replay: Replay,
}

impl Line {
    pub fn new(events: usize) -> Self {
        Self {
            messages: Vec::new(),
            known: 0,
            replay: Replay::new(events, CALLS),
        }
    }

    pub fn keep(&mut self) {
        for message in &self.messages[self.known..] {
            self.replay.sent(message);
        }
        self.known = self.messages.len();
        assert!(self.replay.call_bytes() <= CALLS && self.replay.event_bytes() <= EVENTS);
    }

    pub fn event(&mut self, message: Bytes, direct: bool) {
        self.keep();
        self.messages.push(message.to_vec());
        self.known += 1;
        if direct {
            self.replay.sent_event(message);
        }
    }

    pub fn take(&mut self, count: usize) -> Vec<Bytes> {
        self.keep();
        let count = count.min(self.messages.len());
        self.known -= count;
        self.messages.drain(..count).map(Bytes::from).collect()
    }

    /// The peer has come back with so much.
    pub fn go_on(&mut self, received: u64, streams: bool) {
        self.replay.resume(received, streams);
        let again = |again| match again {
            Again::Event(message) | Again::OfCalls(message) => message,
        };
        self.messages = self.replay.frames().map(|frame| again(frame).to_vec()).collect();
        self.known = self.messages.len();
    }

    /// A peer says that it has received something else than it has: `received` in truth.
    pub fn hears_a_lie(&mut self, said: u64, received: u64) {
        self.keep();
        let sent = self.replay.sent_frames();
        if said > sent {
            assert!(self.replay.acknowledge(said).is_err(), "never sent");
            assert!(!self.replay.can_resume(said, false) && !self.replay.can_resume(said, true));
        } else if said <= received {
            assert!(self.replay.acknowledge(said).is_ok());
        }
    }
}

impl Output for Line {
    fn begin_message(&mut self, len: usize) -> &mut Vec<u8> {
        self.messages.begin_message(len)
    }
}
