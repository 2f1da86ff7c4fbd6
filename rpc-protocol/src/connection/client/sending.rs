//! What the client's end sends: requests, messages of streams, and their ends.

use super::ClientConnection;
use super::stream::{CallState, Flowing, Phase};
use crate::connection::flow::Sending;
use crate::connection::outbound::{self, Ending, Outbound, Sent};
use crate::connection::window::DATA_FRAME_COST;
use crate::connection::{OpenError, SendError, TooLarge};
use crate::frame::{BareData, Compression, Data, End, Request, Reset};
use crate::{Body, Code, Output};

impl ClientConnection {
    /// Opens a call: `request` without its body, which is given apart. Gives the stream id by which the outcome comes; for
    /// a one-way call none will.
    ///
    /// With `request.open` a stream of requests follows: [`send`](Self::send) them, then [`finish`](Self::finish). Such a
    /// request has no body. Of a body that is longer than a frame the rest waits inside; [`transmit`](Self::transmit)
    /// writes it.
    ///
    /// # Errors
    ///
    /// The call was not opened, and nothing was sent.
    #[inline]
    pub fn open(
        &mut self,
        request: &Request,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<u64, OpenError> {
        debug_assert!(!request.more, "parts are made here");
        let body_len = body.encoded_len();
        self.check_open(body_len)?;
        let stream_id = self.last_stream_id + 1;
        let len = request.frame_len(stream_id, body_len);
        if len.total > self.peer.max_message_bytes || body_len > self.whole_body || request.open {
            return self.open_long(request, body, out);
        }
        self.last_stream_id = stream_id;
        self.flow.sent(body_len);
        if !request.one_way {
            self.calls.insert(stream_id, CallState::Waiting);
        }
        request.encode_measured(stream_id, body, len, out);
        Ok(stream_id)
    }

    #[inline]
    fn check_open(&self, body_len: usize) -> Result<(), OpenError> {
        if self.going_away {
            return Err(OpenError::GoingAway);
        }
        let limit = self.peer.max_streams;
        if self.calls.len() >= limit {
            return Err(OpenError::NoStreamFree { limit });
        }
        if body_len > 0 && !self.flow.is_open() {
            return Err(OpenError::WindowShut);
        }
        Ok(())
    }

    /// A call of which more follows than one frame.
    #[cold]
    fn open_long(
        &mut self,
        request: &Request,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<u64, OpenError> {
        let stream_id = self.last_stream_id + 1;
        let len = body.encoded_len();
        debug_assert!(!request.open || len == 0, "the first message comes by `send`");
        debug_assert!(
            !(request.open && request.one_way),
            "a one-way call is one message"
        );
        let fields = request.frame_len(stream_id, 0).total;
        outbound::check_fits(len, fields, &self.peer)?;
        let mut body = outbound::encoded(body);
        let first = body.split_to(len.min(self.peer.part_beside(fields)));
        let limit = self.limits.max_queued_bytes;
        if self.flow.queued() + body.len() > limit {
            return Err(TooLarge { len, limit }.into());
        }
        self.last_stream_id = stream_id;
        let window = self.flow.stream_send_window();
        self.flow.sent(first.len());
        if request.open {
            request.encode(stream_id, &(), out);
            let flowing = Flowing::waiting(Outbound::open(window), &self.flow);
            self.calls.insert(stream_id, CallState::Flowing(flowing));
            return Ok(stream_id);
        }
        let request = Request {
            more: !body.is_empty(),
            ..request.clone()
        };
        request.encode(stream_id, &first, out);
        if request.more {
            let mut outbound = Outbound::open(window);
            self.flow.queue(body.len());
            outbound.queue_rest(body, request.one_way);
            self.flow.has_turned(stream_id, &mut outbound);
            let mut flowing = Flowing::waiting(outbound, &self.flow);
            if request.one_way {
                flowing.phase = Phase::OneWay;
            }
            self.calls.insert(stream_id, CallState::Flowing(flowing));
        } else if !request.one_way {
            self.calls.insert(stream_id, CallState::Waiting);
        }
        Ok(stream_id)
    }

    /// Whether a call with a body may be opened now, as far as the connection knows: a stream is free, its window is open,
    /// and the server does not go away.
    #[must_use]
    pub fn can_open(&self) -> bool {
        self.check_open(1).is_ok()
    }

    /// Sends one message of a call that was opened with `open`. The message is encoded once: into the output, or, where it
    /// has to wait, into a buffer of its own. While one waits, the stream takes no other: see
    /// [`is_writable`](Self::is_writable).
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
        let Some(outbound) = self.calls.get_mut(stream_id).and_then(Sending::outbound) else {
            return Err(SendError::Closed);
        };
        if !outbound.is_open() {
            return Err(SendError::Closed);
        }
        if outbound.has_queued() {
            return Err(SendError::Busy);
        }
        let len = body.encoded_len();
        if len > self.whole_body || !self.flow.is_open() || !outbound.window.is_open() {
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
        outbound.window.take(len + DATA_FRAME_COST);
        Ok(Sent::Written)
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
        let limit = self.limits.max_queued_bytes;
        if self.flow.queued() + len > limit {
            return Err(TooLarge { len, limit }.into());
        }
        let Some(outbound) = self.calls.get_mut(stream_id).and_then(Sending::outbound) else {
            return Err(SendError::Closed);
        };
        outbound.queue_message(compression, outbound::encoded(body));
        self.flow.queue(len);
        self.flow.has_turned(stream_id, outbound);
        Ok(Sent::Queued)
    }

    /// Half-closes: the client sends no more on this stream, behind what is queued; the call goes on. Does nothing on one
    /// that takes no more messages anyway.
    pub fn finish(&mut self, stream_id: u64, out: &mut impl Output) {
        if let Some(outbound) = self.calls.get_mut(stream_id).and_then(Sending::outbound)
            && outbound.is_open()
            && outbound.finish(Ending::HalfClose).is_some()
        {
            End::default().encode(stream_id, out);
        }
    }

    /// Gives a call up: nothing more comes for it. Sends nothing where it has ended already. The call may have run.
    pub fn cancel(&mut self, stream_id: u64, out: &mut impl Output) {
        if self.remove(stream_id) {
            reset(stream_id, Code::Cancelled, out);
            self.flow.widen(out);
        }
    }

    /// Whether a message can be sent on a stream at once: nothing of it is queued, and both windows are open. What becomes
    /// writable later is told by [`poll_writable`](Self::poll_writable).
    #[must_use]
    pub fn is_writable(&self, stream_id: u64) -> bool {
        self.flow.is_open() && self.calls.get(stream_id).is_some_and(Sending::may_send)
    }

    /// Writes what is queued, a frame of each stream in turn, until about `room` bytes are written. To be called after
    /// messages were handled and sent, and whenever the output has room again. Whether more could be written at once.
    pub fn transmit(&mut self, room: usize, out: &mut impl Output) -> bool {
        self.flow.widen(out);
        self.flow.transmit(&mut self.calls, &self.peer, room, out)
    }

    /// A stream that has become writable since it was last looked at. Now and then one that was writable all the time.
    /// `None`: there is no other.
    pub fn poll_writable(&mut self) -> Option<u64> {
        self.flow.poll_writable(&mut self.calls)
    }

    /// Bytes of bodies that wait inside for being sent. At most [`Limits::max_queued_bytes`](crate::Limits).
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.flow.queued()
    }

    /// Forgets a call, with what it has queued and what was not consumed. Whether it was there.
    pub(super) fn remove(&mut self, stream_id: u64) -> bool {
        match self.calls.remove(stream_id) {
            Some(CallState::Flowing(mut flowing)) => {
                flowing.abandon(stream_id, &mut self.flow);
                true
            }
            Some(CallState::Waiting) => true,
            None => false,
        }
    }
}

pub(super) fn reset(stream_id: u64, code: Code, out: &mut impl Output) {
    Reset { code: code.as_i32() }.encode(stream_id, out);
}
