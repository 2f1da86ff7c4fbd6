//! What is kept of frames that were sent, so that they can be sent again on the next connection of their session.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::ConnectionError;
use crate::frame::is_of_calls;

/// What a frame takes beside its bytes.
const COST: usize = 64;

/// Keeps the sequenced frames that a peer has not acknowledged, up to a bound: direct events, which are shared with others,
/// and, where streams go on over a resume, frames of calls. Nothing is said of the wire here: whoever sends a frame tells, and
/// sends again what [`frames`](Self::frames) gives.
///
/// Frames are numbered from 1, over all connections of a session. Past the bound the oldest are given up; a peer that turns out
/// not to have received them cannot resume ([`can_resume`](Self::can_resume)). Events and frames of calls have a bound each, so that calls
/// that are given up do not cost a session its events.
///
/// ```
/// use bytes::Bytes;
/// use rpc_protocol::{Again, Replay};
///
/// let mut replay = Replay::new(1 << 20, 0);
/// for event in ["one", "two", "three"] {
///     replay.sent_event(Bytes::from(event));
/// }
/// replay.acknowledge(1)?;
/// // The connection is lost. The peer comes back, and says that it has received two frames.
/// assert!(replay.can_resume(2, false));
/// replay.resume(2, false);
/// assert_eq!(replay.frames().collect::<Vec<_>>(), [Again::Event(&Bytes::from("three"))]);
/// # Ok::<(), rpc_protocol::ConnectionError>(())
/// ```
#[derive(Debug)]
pub struct Replay {
    sent: u64,
    /// What the peer has said to have, and is not kept any more.
    acknowledged: u64,
    events: Kept,
    calls: Kept,
}

/// What is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again<'a> {
    /// A direct event, as it was given to [`Replay::sent_event`].
    Event(&'a Bytes),
    /// A frame of calls.
    OfCalls(&'a Bytes),
}

/// Frames that are not acknowledged, with their numbers, which increase.
#[derive(Debug)]
struct Kept {
    frames: VecDeque<(u64, Bytes)>,
    bytes: usize,
    most: usize,
    /// The number of the last that was given up.
    given_up: u64,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            bytes: 0,
            most,
            given_up: 0,
        }
    }

    fn push(&mut self, number: u64, frame: Bytes) {
        self.bytes += frame.len() + COST;
        self.frames.push_back((number, frame));
        self.shorten();
    }

    /// Gives up the oldest, until the rest is within the bound.
    fn shorten(&mut self) {
        while self.bytes > self.most
            && let Some(number) = self.pop()
        {
            self.given_up = number;
        }
    }

    fn pop(&mut self) -> Option<u64> {
        let (number, frame) = self.frames.pop_front()?;
        self.bytes -= frame.len() + COST;
        Some(number)
    }

    fn forget_up_to(&mut self, received: u64) {
        while self.frames.front().is_some_and(|(number, _)| *number <= received) {
            self.pop();
        }
        if self.frames.is_empty() {
            // What a burst has left behind.
            self.frames.shrink_to(16);
        }
    }
}

impl Replay {
    /// Nothing was sent. `event_bytes`: what is kept of direct events; `call_bytes`: of frames of calls, 0 where those are not
    /// counted.
    #[must_use]
    pub fn new(event_bytes: usize, call_bytes: usize) -> Self {
        Self {
            sent: 0,
            acknowledged: 0,
            events: Kept::new(event_bytes),
            calls: Kept::new(call_bytes),
        }
    }

    /// Counts and keeps frames of calls from now on, up to so many bytes; with 0, not any more. What is over is given up.
    pub fn keep_calls(&mut self, bytes: usize) {
        self.calls.most = bytes;
        self.calls.shorten();
    }

    /// Whether frames of calls are counted and kept.
    #[must_use]
    pub fn keeps_calls(&self) -> bool {
        self.calls.most > 0
    }

    /// Whether more than half of what is kept of frames of calls waits to be acknowledged: who can is to send no more of them, so
    /// that none is given up.
    #[must_use]
    pub fn keeps_much(&self) -> bool {
        self.calls.bytes > self.calls.most / 2
    }

    /// A direct event is sent: the bytes in whatever form they are to be sent again.
    pub fn sent_event(&mut self, event: Bytes) {
        self.sent += 1;
        self.events.push(self.sent, event);
    }

    /// Any other frame is sent. It is copied if it is one of calls, and these are counted.
    pub fn sent(&mut self, frame: &[u8]) {
        if self.keeps_calls() && is_of_calls(frame) {
            self.sent += 1;
            self.calls.push(self.sent, Bytes::copy_from_slice(frame));
        }
    }

    /// What all frames that are kept take: their bytes, and 64 for each.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.events.bytes + self.calls.bytes
    }

    /// The peer has received so many.
    ///
    /// # Errors
    ///
    /// So many were not sent: the connection is to be closed.
    pub fn acknowledge(&mut self, received: u64) -> Result<(), ConnectionError> {
        if received > self.sent {
            return Err(ConnectionError::NeverSent {
                acknowledged: received,
                sent: self.sent,
            });
        }
        self.forget_up_to(received);
        Ok(())
    }

    /// Whether a peer that has received so many frames can be sent all others: all direct events, and with `streams` all frames
    /// of calls.
    #[must_use]
    pub fn can_resume(&self, received: u64, streams: bool) -> bool {
        let streams_too = !streams || self.keeps_calls() && received >= self.calls.given_up;
        let known = self.acknowledged.max(self.events.given_up);
        (known..=self.sent).contains(&received) && streams_too
    }

    /// Goes on with a peer that has received so many frames. Without `streams` frames of calls are forgotten. What is left is
    /// numbered on from what the peer has.
    pub fn resume(&mut self, received: u64, streams: bool) {
        self.forget_up_to(received);
        if streams {
            return;
        }
        self.calls = Kept::new(self.calls.most);
        self.sent = received;
        for (number, _) in &mut self.events.frames {
            self.sent += 1;
            *number = self.sent;
        }
    }

    fn forget_up_to(&mut self, received: u64) {
        self.acknowledged = self.acknowledged.max(received);
        self.events.forget_up_to(received);
        self.calls.forget_up_to(received);
    }

    /// The frames that are kept, in the order of sending.
    pub fn frames(&self) -> impl Iterator<Item = Again<'_>> {
        let mut events = self.events.frames.iter().peekable();
        let mut calls = self.calls.frames.iter().peekable();
        std::iter::from_fn(move || {
            let event_is_next = match (events.peek(), calls.peek()) {
                (Some((event, _)), Some((call, _))) => event < call,
                (event, _) => event.is_some(),
            };
            if event_is_next {
                events.next().map(|(_, event)| Again::Event(event))
            } else {
                calls.next().map(|(_, frame)| Again::OfCalls(frame))
            }
        })
    }

    /// How many events are kept.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events.frames.len() as u64
    }

    /// How many sequenced frames were sent in the session.
    #[must_use]
    pub fn sent_frames(&self) -> u64 {
        self.sent
    }

    /// The number of the last frame of calls that was given up; 0: none was.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.calls.given_up
    }

    /// What is kept of frames of calls, in bytes. At most what was given to [`new`](Self::new).
    #[must_use]
    pub fn call_bytes(&self) -> usize {
        self.calls.bytes
    }

    /// What is kept of direct events, in bytes. At most what was given to [`new`](Self::new).
    #[must_use]
    pub fn event_bytes(&self) -> usize {
        self.events.bytes
    }
}
