//! How the server's end answers calls with one response.

use super::ServerConnection;
use super::stream::{Flowing, Phase, StreamState};
use crate::connection::TooLarge;
use crate::connection::inbound::Inbound;
use crate::connection::outbound::{self, Outbound};
use crate::frame::{BareResponse, End, Response};
use crate::{Body, Code, Output};

impl ServerConnection {
    /// Ends a call with a response: `response` without its body, which is given apart. Sends nothing where the call
    /// is one-way or was cancelled. The handler has ended; its slot is free once the response has left.
    ///
    /// A body that is longer than a frame, or for which the connection's window is shut, waits inside:
    /// [`transmit`](Self::transmit) writes it.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the response is over the peer's limit, and RESOURCE_EXHAUSTED was sent instead.
    #[inline]
    pub fn respond(
        &mut self,
        stream_id: u64,
        response: &Response,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<(), TooLarge> {
        debug_assert!(!response.open && !response.more, "a final response");
        if !self.close(stream_id) {
            return Ok(());
        }
        let body_len = body.encoded_len();
        let len = response.frame_len(stream_id, body_len);
        if len.total > self.peer.max_message_bytes
            || body_len > self.whole_body
            || (body_len > 0 && !self.flow.is_open())
        {
            return self.respond_later(stream_id, response, body, out);
        }
        self.flow.sent(body_len);
        response.encode_measured(stream_id, body, len, out);
        Ok(())
    }

    /// The same for a response of a body alone, as nearly all are.
    ///
    /// # Errors
    ///
    /// Like [`respond`](Self::respond).
    #[inline]
    pub fn respond_with_body(
        &mut self,
        stream_id: u64,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<(), TooLarge> {
        if !self.close(stream_id) {
            return Ok(());
        }
        let body_len = body.encoded_len();
        let len = BareResponse::default().frame_len(stream_id, body_len);
        if len.total > self.peer.max_message_bytes
            || body_len > self.whole_body
            || (body_len > 0 && !self.flow.is_open())
        {
            return self.respond_later(stream_id, &Response::default(), body, out);
        }
        self.flow.sent(body_len);
        BareResponse::default().encode_measured(stream_id, body, len, out);
        Ok(())
    }

    /// The stream is closed, and comes back until the response has left.
    #[cold]
    fn respond_later(
        &mut self,
        stream_id: u64,
        response: &Response,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<(), TooLarge> {
        let len = body.encoded_len();
        let fields = response.frame_len(stream_id, 0).total;
        if let Err(error) = outbound::check_fits(len, fields, &self.peer).and_then(|()| self.check_queue(len))
        {
            End::new(Code::ResourceExhausted, "the response is over the client's limit")
                .encode(stream_id, out);
            return Err(error);
        }
        let mut inbound = Inbound::receiving(&self.flow);
        inbound.ignore(&mut self.flow);
        let mut outbound = Outbound::shut(self.flow.stream_send_window());
        outbound.queue_response(response, outbound::encoded(body));
        self.flow.queue(len);
        self.flow.has_turned(stream_id, &mut outbound);
        self.streams.restore(
            stream_id,
            StreamState::Flowing(Box::new(Flowing {
                phase: Phase::Leaving,
                one_way: false,
                inbound,
                outbound,
            })),
        );
        Ok(())
    }
}
