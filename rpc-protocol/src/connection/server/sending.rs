//! What the server's end sends for calls that stream, and how it ends calls. Calls that are answered once are in `responding`.

use super::stream::{Flowing, Phase, StreamState};
use super::{InHand, ServerConnection};
use crate::connection::flow::Sending;
use crate::connection::inbound::Inbound;
use crate::connection::outbound::{self, Ending, Sent};
use crate::connection::window::DATA_FRAME_COST;
use crate::connection::{SendError, TooLarge};
use crate::frame::{BareData, Compression, Data, End, Metadata, Response, Status};
use crate::{Body, Code, Output};

impl ServerConnection {
    /// Begins a response that is a stream: metadata now, then messages by [`send`](Self::send), then an
    /// [`end`](Self::end). Once, and before the first message. Sends nothing where the call is one-way, was cancelled or
    /// is open already.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the metadata is over the peer's limit, and RESOURCE_EXHAUSTED was sent instead. The call is over for
    /// the peer: drop its handler, and say [`finished`](Self::finished).
    pub fn open_response(
        &mut self,
        stream_id: u64,
        metadata: Vec<Metadata>,
        out: &mut impl Output,
    ) -> Result<(), TooLarge> {
        let response = Response {
            metadata,
            open: true,
            ..Response::default()
        };
        let limit = self.peer.max_message_bytes;
        let Some(flowing) = self.flowing(stream_id) else {
            return Ok(());
        };
        if flowing.one_way || !matches!(flowing.phase, Phase::Running) {
            return Ok(());
        }
        let len = response.frame_len(stream_id, 0).total;
        if len > limit {
            let _ = self.end_running(
                stream_id,
                &End::new(Code::ResourceExhausted, "the metadata is over the client's limit"),
                out,
            );
            return Err(TooLarge { len, limit });
        }
        flowing.phase = Phase::Opened;
        response.encode(stream_id, &(), out);
        Ok(())
    }

    /// Sends one message of a response that is a stream, opening it without metadata where that was not done. The
    /// message is encoded once: into the output, or, where it has to wait, into a buffer of its own. While one waits, the
    /// stream takes no other: see [`is_writable`](Self::is_writable).
    ///
    /// # Errors
    ///
    /// Nothing was sent or queued.
    #[inline]
    pub fn send(
        &mut self,
        stream_id: u64,
        compression: Compression,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<Sent, SendError> {
        let opened = match self.streams.get_mut(stream_id) {
            Some(StreamState::Flowing(flowing)) if matches!(flowing.phase, Phase::Opened) => flowing,
            _ => return self.send_first(stream_id, compression, body, out),
        };
        if opened.outbound.has_queued() {
            return Err(SendError::Busy);
        }
        let len = body.encoded_len();
        if len > self.whole_body || !self.flow.is_open() || !opened.outbound.window.is_open() {
            return self.send_later(stream_id, compression, body);
        }
        if compression == Compression::NONE {
            let data = BareData::default();
            data.encode_measured(stream_id, body, data.frame_len(stream_id, len), out);
        } else {
            let data = Data {
                compression,
                ..Data::default()
            };
            data.encode_measured(stream_id, body, data.frame_len(stream_id, len), out);
        }
        self.flow.sent(len + DATA_FRAME_COST);
        opened.outbound.window.take(len + DATA_FRAME_COST);
        Ok(Sent::Written)
    }

    #[cold]
    fn send_first(
        &mut self,
        stream_id: u64,
        compression: Compression,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<Sent, SendError> {
        self.open_response(stream_id, Vec::new(), out)?;
        match self.streams.get(stream_id) {
            Some(StreamState::Flowing(flowing)) if matches!(flowing.phase, Phase::Opened) => {
                self.send(stream_id, compression, body, out)
            }
            _ => Err(SendError::Closed),
        }
    }

    #[cold]
    fn send_later(
        &mut self,
        stream_id: u64,
        compression: Compression,
        body: &(impl Body + ?Sized),
    ) -> Result<Sent, SendError> {
        let len = body.encoded_len();
        outbound::check_fits(len, 0, &self.peer)?;
        self.check_queue(len)?;
        let Some(outbound) = self.streams.get_mut(stream_id).and_then(Sending::outbound) else {
            return Err(SendError::Closed);
        };
        outbound.queue_message(compression, outbound::encoded(body));
        self.flow.queue(len);
        self.flow.has_turned(stream_id, outbound);
        Ok(Sent::Queued)
    }

    /// Whether a message of a call can be sent at once: nothing of it is queued, and both windows are open. `false` for a
    /// call that is one-way, over or cancelled. What becomes writable later is told by
    /// [`poll_writable`](Self::poll_writable).
    #[must_use]
    pub fn is_writable(&self, stream_id: u64) -> bool {
        self.flow.is_open()
            && match self.in_hand {
                Some(in_hand) if in_hand.stream_id == stream_id => !in_hand.one_way,
                _ => self.streams.get(stream_id).is_some_and(Sending::may_send),
            }
    }

    /// Ends a call with a status, behind what it has queued. Sends nothing where the call is one-way or was cancelled.
    /// The handler has ended; its slot is free once the end has left.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the status is over the peer's limit, and is sent without message, details and trailers.
    pub fn end(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        if let Some(StreamState::Flowing(flowing)) = self.streams.get_mut(stream_id)
            && flowing.outbound.has_queued()
        {
            if matches!(flowing.phase, Phase::Leaving) {
                return Ok(());
            }
            flowing.phase = Phase::Leaving;
            flowing.inbound.ignore(&mut self.flow);
            self.flow.widen(out);
            let (end, result) = self.fitting(stream_id, end);
            if let Some(StreamState::Flowing(flowing)) = self.streams.get_mut(stream_id) {
                flowing.outbound.finish(Ending::End(Box::new(end)));
            }
            return result;
        }
        if self.close(stream_id) {
            self.send_end(stream_id, end, out)
        } else {
            Ok(())
        }
    }

    /// Ends a call with a status while its handler still runs: for a deadline or a drain that cannot drop the handler
    /// at once. What it has queued is dropped. Keeps the slot until [`finished`](Self::finished).
    ///
    /// A call whose handler has ended, and whose answer is queued, is ended too; its slot is free then.
    ///
    /// # Errors
    ///
    /// Like [`end`](Self::end).
    pub fn end_running(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        match self.silence(stream_id) {
            Some(one_way) if !one_way => {
                self.flow.widen(out);
                self.send_end(stream_id, end, out)
            }
            _ => Ok(()),
        }
    }

    /// Writes what is queued, a frame of each stream in turn, until about `room` bytes are written. To be called after
    /// messages were handled and calls were answered, and whenever the output has room again. Whether more could be
    /// written at once.
    pub fn transmit(&mut self, room: usize, out: &mut impl Output) -> bool {
        let before = self.streams.len();
        self.flow.widen(out);
        let more = self.flow.transmit(&mut self.streams, &self.peer, room, out);
        if self.streams.len() < before {
            self.liveness.on_close();
        }
        more
    }

    /// A call that has become writable since it was last looked at, and may be sent on. Now and then one that was
    /// writable all the time, or of which nothing is to be sent. `None`: there is no other.
    pub fn poll_writable(&mut self) -> Option<u64> {
        self.flow.poll_writable(&mut self.streams)
    }

    /// Bytes of bodies that wait inside for being sent. At most [`Limits::max_queued_bytes`](crate::Limits).
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.flow.queued()
    }

    /// The stream as one that flows, where its handler runs and may be answered.
    fn flowing(&mut self, stream_id: u64) -> Option<&mut Flowing> {
        if self.in_hand.is_some_and(|in_hand| in_hand.stream_id == stream_id) {
            self.park_in_hand();
        }
        self.make_flowing(stream_id);
        match self.streams.get_mut(stream_id)? {
            StreamState::Flowing(flowing) => Some(flowing),
            StreamState::Running { .. } | StreamState::Silent => None,
        }
    }

    /// Gives a call of which nothing was sent what a stream needs.
    pub(super) fn make_flowing(&mut self, stream_id: u64) {
        if let Some(state) = self.streams.get_mut(stream_id)
            && let StreamState::Running { one_way: false } = *state
        {
            let inbound = Inbound::ended(&self.flow);
            *state = StreamState::Flowing(Flowing::running(false, inbound, &self.flow));
        }
    }

    /// Ends a stream; tells whether an answer may be sent for it.
    #[inline]
    pub(super) fn close(&mut self, stream_id: u64) -> bool {
        if let Some(InHand {
            stream_id: in_hand,
            one_way,
            ..
        }) = self.in_hand
            && in_hand == stream_id
        {
            self.in_hand = None;
            return !one_way;
        }
        match self.streams.remove(stream_id) {
            Some(StreamState::Running { one_way }) => {
                self.liveness.on_close();
                !one_way
            }
            Some(state) => self.close_long(stream_id, state),
            None => false,
        }
    }

    /// The rest of [`close`](Self::close) for a stream that was taken out of the table.
    #[cold]
    fn close_long(&mut self, stream_id: u64, state: StreamState) -> bool {
        self.liveness.on_close();
        match state {
            StreamState::Running { one_way } => !one_way,
            StreamState::Silent => false,
            // What is queued of a call whose handler has ended is not taken back, and nobody but the peer ends what the
            // application does not know of.
            StreamState::Flowing(flowing)
                if matches!(flowing.phase, Phase::Leaving | Phase::Assembling(_)) =>
            {
                self.streams.restore(stream_id, StreamState::Flowing(flowing));
                false
            }
            StreamState::Flowing(mut flowing) => {
                flowing.abandon(stream_id, &mut self.flow);
                !flowing.one_way
            }
        }
    }

    pub(super) fn check_queue(&self, len: usize) -> Result<(), TooLarge> {
        let limit = self.limits.max_queued_bytes;
        if self.flow.queued() + len > limit {
            return Err(TooLarge { len, limit });
        }
        Ok(())
    }

    fn send_end(&self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        if end.message_len(stream_id) <= self.peer.max_message_bytes {
            end.encode(stream_id, out);
            return Ok(());
        }
        let (end, result) = self.fitting(stream_id, end);
        end.encode(stream_id, out);
        result
    }

    /// The end, or what the peer takes of it.
    fn fitting(&self, stream_id: u64, end: &End) -> (End, Result<(), TooLarge>) {
        let len = end.message_len(stream_id);
        let limit = self.peer.max_message_bytes;
        if len <= limit {
            return (end.clone(), Ok(()));
        }
        let code = end.status.as_ref().map_or(Code::Ok, Status::code);
        (End::new(code, ""), Err(TooLarge { len, limit }))
    }
}
