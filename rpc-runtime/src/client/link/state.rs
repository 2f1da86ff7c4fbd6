//! What a connection's lock guards: its protocol, its output, and its open calls.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use rpc_protocol::{
    Body, ClientConnection, CloseCode, SendError, Sent,
    frame::{Compression, GoAway, Request},
};
use tokio::time::Instant;

use super::{
    Failure, NotOpened, Outcome, Woken,
    authentications::Authentications,
    away::Away,
    burst::Burst,
    cell::{Cell, SpareCells},
    stream::{STREAM_OUTPUT, StreamEntry},
    table::CallTable,
};
use crate::{Metadata, client::error::Closed, transport::output::OutputBuffer};

/// So many streams that were held up go on at a time: one with long messages, or with many, takes all the room that there
/// is, and a hundred that are woken for it find none.
const WOKEN_AT_ONCE: usize = 4;

/// Invariant: every stream in `calls` is one that `protocol` waits for.
pub(in crate::client) struct State {
    pub(in crate::client) protocol: ClientConnection,
    /// What calls have written, until the task takes it.
    pub(in crate::client) output: OutputBuffer,
    /// So much the task has taken and the socket has not.
    pub(super) behind: usize,
    pub(super) burst: Burst,
    pub(super) calls: CallTable<Entry>,
    pub(super) spare: SpareCells,
    /// When calls with streams are over.
    deadlines: BTreeSet<(Instant, u64)>,
    /// Streams whose messages were not taken because too much waits to leave.
    pub(super) held_up: VecDeque<u64>,
    /// Calls that wait for a free stream.
    pub(super) queued: usize,
    /// No call will come any more: close once nothing is waited for.
    pub(super) abandoned: bool,
    /// The program asks to close with this.
    pub(super) close_requested: Option<(CloseCode, String)>,
    pub(super) going_away: Option<GoAway>,
    pub(super) closed: Option<Closed>,
    pub(super) authentications: Authentications,
    /// The connection was lost, and the calls wait for the next one.
    pub(super) away: Option<Box<Away>>,
    /// The task that moves the bytes has ended.
    pub(super) gone: bool,
    most_unsent: usize,
}

/// An open call.
pub(super) struct Entry {
    pub(super) cell: Arc<Cell>,
    pub(super) stream: Option<Box<StreamEntry>>,
}

impl Entry {
    pub(super) fn unary(cell: Arc<Cell>) -> Self {
        Self { cell, stream: None }
    }

    /// Leaves the outcome, and tells the ends of its streams.
    pub(super) fn complete(&self, outcome: Outcome, trailers: Metadata, woken: &mut Woken) {
        if let Some(stream) = &self.stream {
            let result = outcome.as_ref().map(|_| ()).map_err(Failure::clone);
            stream.end(&result, trailers);
        }
        woken.wakers.extend(self.cell.complete(outcome));
    }
}

impl State {
    pub(super) fn new(protocol: ClientConnection, output: OutputBuffer, most_unsent: usize) -> Self {
        Self {
            protocol,
            output,
            behind: 0,
            burst: Burst::default(),
            calls: CallTable::default(),
            spare: SpareCells::default(),
            deadlines: BTreeSet::new(),
            held_up: VecDeque::new(),
            queued: 0,
            abandoned: false,
            close_requested: None,
            going_away: None,
            closed: None,
            authentications: Authentications::default(),
            away: None,
            gone: false,
            most_unsent,
        }
    }

    /// Writes a request. The call is to be put into `calls` at once, unless it is a one-way one.
    pub(super) fn open(&mut self, request: &Request, body: &Bytes) -> Result<(u64, Arc<Cell>), NotOpened> {
        if self.closed.is_some() || self.away.is_some() {
            return Err(NotOpened::Gone);
        }
        if self.output.pending() > self.most_unsent || self.output.keeps_much() {
            return Err(NotOpened::Full);
        }
        let stream_id = self
            .protocol
            .open(request, body, &mut self.output)
            .map_err(NotOpened::from)?;
        self.burst.opened += 1;
        Ok((stream_id, self.spare.take()))
    }

    /// Puts a call in that streams.
    pub(super) fn insert(&mut self, stream_id: u64, cell: Arc<Cell>, stream: StreamEntry) {
        if let Some(deadline) = stream.shape.deadline {
            self.deadlines.insert((deadline, stream_id));
        }
        let stream = Some(Box::new(stream));
        self.calls.insert(stream_id, Entry { cell, stream });
    }

    pub(super) fn remove(&mut self, stream_id: u64) -> Option<Entry> {
        let entry = self.calls.remove(stream_id)?;
        if let Some(stream) = &entry.stream
            && let Some(deadline) = stream.shape.deadline
        {
            self.deadlines.remove(&(deadline, stream_id));
        }
        Some(entry)
    }

    /// Sends a message of a stream. [`SendError::Busy`]: not now.
    pub(super) fn send(
        &mut self,
        stream_id: u64,
        compression: Compression,
        body: &(impl Body + ?Sized),
    ) -> Result<(), SendError> {
        if self.calls.get_mut(stream_id).is_none() {
            return Err(SendError::Closed);
        }
        if self.away.is_some() || self.is_far_ahead(self.behind) {
            if !self.held_up.contains(&stream_id) {
                self.held_up.push_back(stream_id);
            }
            return Err(SendError::Busy);
        }
        if !self.protocol.is_writable(stream_id) {
            return Err(SendError::Busy);
        }
        let sent = self
            .protocol
            .send(stream_id, compression, body, &mut self.output)?;
        if sent == Sent::Queued {
            self.transmit();
        }
        Ok(())
    }

    /// Writes what is queued, as much as may wait to leave. Whether there is more.
    pub(in crate::client) fn transmit(&mut self) -> bool {
        if self.output.keeps_much() {
            // There is more once the server has acknowledged some of it, and then this is called again.
            return false;
        }
        let room = STREAM_OUTPUT.saturating_sub(self.output.pending() + self.behind);
        self.protocol.transmit(room, &mut self.output)
    }

    pub(super) fn stream(&mut self, stream_id: u64) -> Option<&mut StreamEntry> {
        self.calls.get_mut(stream_id)?.stream.as_deref_mut()
    }

    pub(super) fn wake_sender(&mut self, stream_id: u64) {
        if let Some(stream) = self.stream(stream_id)
            && let Some(sender) = &stream.sender
        {
            sender.wake();
        }
    }

    /// The application has taken messages of a stream.
    pub(super) fn consumed(&mut self, stream_id: u64, bytes: usize) {
        if let Some(stream) = self.stream(stream_id) {
            stream.unread = stream.unread.saturating_sub(bytes);
        }
        self.protocol.consumed(stream_id, bytes, &mut self.output);
    }

    /// Gives a call up, if it is open.
    pub(super) fn cancel(&mut self, stream_id: u64, failure: Failure, woken: &mut Woken) {
        self.protocol.cancel(stream_id, &mut self.output);
        if let Some(entry) = self.remove(stream_id) {
            entry.complete(Err(failure), Metadata::default(), woken);
            woken.streams = (woken.streams + 1).min(self.queued);
        }
    }

    /// Whether streams are to write no more now: so much waits to leave, `behind` of it with the task, or to be acknowledged.
    fn is_far_ahead(&self, behind: usize) -> bool {
        self.output.pending() + behind >= STREAM_OUTPUT || self.output.keeps_much()
    }

    /// Ends everything that waits for the server.
    pub(super) fn fail_all(&mut self, failure: &Failure, woken: &mut Woken) {
        self.end_absence();
        self.fail_authentications(failure);
        self.fail_calls(failure, woken);
    }

    /// Ends every call.
    pub(super) fn fail_calls(&mut self, failure: &Failure, woken: &mut Woken) {
        self.deadlines.clear();
        for (_, entry) in self.calls.drain() {
            entry.complete(Err(failure.clone()), Metadata::default(), woken);
        }
    }

    /// Gives every call up, because the program closes the connection. The server learns of that by the close frame, for
    /// which sessions have their grace, and by no resets.
    pub(in crate::client) fn give_all_up(&mut self, closed: Closed, woken: &mut Woken) {
        let closed = self.closed.get_or_insert(closed).clone();
        self.fail_all(&Failure::Closed(closed), woken);
        woken.fate = true;
    }

    /// Whether everything that calls have written was let go.
    pub(in crate::client) fn has_let_go(&self) -> bool {
        self.output.pending() == 0 && self.protocol.queued_bytes() == 0
    }

    /// Ends the calls whose time is over. When the next one's is.
    pub(in crate::client) fn expire(&mut self, now: Instant, woken: &mut Woken) -> Option<Instant> {
        while let Some(&(deadline, stream_id)) = self.deadlines.first() {
            if deadline > now {
                return Some(deadline);
            }
            self.deadlines.pop_first();
            if let Some(inbox) = self.stream(stream_id).and_then(|stream| stream.inbox.clone()) {
                // What was not read in time is not read any more.
                inbox.abort(Failure::TimedOut.into_status());
            }
            self.cancel(stream_id, Failure::TimedOut, woken);
        }
        None
    }

    /// Whether the requests should wait for more, after the connection's task has let others go first for so many
    /// turns.
    pub(in crate::client) fn awaits_others(&self, turns: u8) -> bool {
        self.away.is_none()
            && (1..=self.most_unsent).contains(&self.output.pending())
            && !self.burst.is_whole(turns)
    }

    /// Hands what calls have written to the task.
    pub(in crate::client) fn let_go(&mut self, output: &mut OutputBuffer, woken: &mut Woken) {
        if let Some(away) = &mut self.away {
            // The calls wait for the server's greeting.
            away.let_go(output);
            return;
        }
        if self.output.pending() > 0 {
            self.burst = Burst::default();
        }
        if self.output.pending() > self.most_unsent {
            woken.streams = self.queued;
        }
        output.take_from(&mut self.output);
    }

    /// So much of what was let go has not left. Lets some streams go on whose messages had to wait for that. Whether there
    /// are others, for which this is to be called again once those have had their turn.
    pub(in crate::client) fn flushed(&mut self, behind: usize) -> bool {
        self.behind = behind;
        if self.away.is_some() {
            return false;
        }
        if behind == 0 {
            self.protocol.handle_flushed();
        }
        if self.is_far_ahead(behind) {
            return false;
        }
        for _ in 0..WOKEN_AT_ONCE {
            let Some(stream_id) = self.held_up.pop_front() else {
                break;
            };
            self.wake_sender(stream_id);
        }
        !self.held_up.is_empty()
    }

    /// Whether there is nobody left for whom the connection is kept.
    pub(in crate::client) fn is_over(&self) -> bool {
        let has_nobody = self.away.is_none() && self.abandoned && self.calls.is_empty() && self.queued == 0;
        has_nobody && self.has_let_go() && !self.authentications.are_awaited()
    }

    /// With what the program asks to close, asked once.
    pub(in crate::client) fn take_close_request(&mut self) -> Option<(CloseCode, String)> {
        self.close_requested.take()
    }

    /// How many calls are open.
    pub(super) fn open_calls(&self) -> usize {
        self.calls.len()
    }
}
