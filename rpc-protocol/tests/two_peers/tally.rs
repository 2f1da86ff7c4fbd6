//! What the runs got to: one that never gets to what it is to prove proves nothing.

use std::collections::BTreeMap;

use rpc_protocol::frame::{Data, Request, Response};
use rpc_protocol::{Frame, FrameKind};

/// How often something happened that a run is to get to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SeenOf {
    pub(crate) messages: u64,
    /// A message that had to wait inside.
    pub(crate) queued: u64,
    /// A stream on which nothing could be sent for now.
    pub(crate) waited: u64,
    /// A call that could not be opened for the window.
    pub(crate) window_shut: u64,
    /// A frame whose body goes on.
    pub(crate) parts: u64,
    pub(crate) credits: u64,
    pub(crate) stream_credits: u64,
    /// An authentication that was answered.
    pub(crate) authentications: u64,
    /// A ping on demand whose answer told the round-trip time.
    pub(crate) round_trips: u64,
}

impl SeenOf {
    pub(crate) fn frame(&mut self, frame: &Frame) {
        match &frame.kind {
            FrameKind::Credit(_) if frame.stream_id == 0 => self.credits += 1,
            FrameKind::Credit(_) => self.stream_credits += 1,
            FrameKind::Request(Request { more: true, .. })
            | FrameKind::Response(Response { more: true, .. })
            | FrameKind::Data(Data { more: true, .. }) => self.parts += 1,
            _ => {}
        }
    }

    pub(crate) fn add(&mut self, run: &Self) {
        self.messages += run.messages;
        self.queued += run.queued;
        self.waited += run.waited;
        self.window_shut += run.window_shut;
        self.parts += run.parts;
        self.credits += run.credits;
        self.stream_credits += run.stream_credits;
        self.authentications += run.authentications;
        self.round_trips += run.round_trips;
    }
}

/// What came of all runs.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) calls: usize,
    pub(crate) seen_of: SeenOf,
    pub(crate) outcomes: BTreeMap<String, usize>,
}
