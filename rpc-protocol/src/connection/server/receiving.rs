//! What frames of streams do to the server's end.

use std::mem;
use std::time::Instant;

use super::refusal::Refusal;
use super::stream::{Assembling, Phase, StreamState};
use super::{ServerConnection, ServerEvent};
use crate::connection::ConnectionError;
use crate::connection::inbound::{Received, StreamMessage};
use crate::connection::window::DATA_FRAME_COST;
use crate::frame::{Credit, Data, End, Reset};
use crate::{Code, Output};

impl ServerConnection {
    #[inline]
    pub(super) fn on_data(
        &mut self,
        stream_id: u64,
        data: &mut Data,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        let flowing = match self.streams.get_mut(stream_id) {
            Some(StreamState::Flowing(flowing)) => flowing,
            Some(StreamState::Running { .. }) => {
                return Err(ConnectionError::UnexpectedFrame {
                    stream_id,
                    kind: "data",
                });
            }
            // Of a stream that was refused, or is cancelled or over, more may be on its way.
            Some(StreamState::Silent) | None => {
                self.check_opened(stream_id, "data")?;
                self.flow
                    .receive_and_forget(data.body.len() + DATA_FRAME_COST, out)?;
                return Ok(ServerEvent::None);
            }
        };
        match flowing
            .inbound
            .on_data(stream_id, data, &mut self.flow, &self.limits, out)?
        {
            Received::Nothing => Ok(ServerEvent::None),
            Received::Message(message) if matches!(flowing.phase, Phase::Assembling(_)) => {
                Ok(self.on_whole_request(stream_id, message, now, out))
            }
            Received::Message(message) => Ok(ServerEvent::Message { stream_id, message }),
            Received::Unwanted(unwanted) => self.on_unwanted(stream_id, unwanted.into(), now, out),
        }
    }

    /// The last part of a request's body has come.
    fn on_whole_request(
        &mut self,
        stream_id: u64,
        message: StreamMessage,
        now: Instant,
        out: &mut impl Output,
    ) -> ServerEvent {
        let Some(state) = self.streams.get_mut(stream_id) else {
            return ServerEvent::None;
        };
        let StreamState::Flowing(flowing) = state else {
            return ServerEvent::None;
        };
        // What the application is given with the call counts as consumed.
        flowing.inbound.ignore(&mut self.flow);
        self.flow.widen(out);
        let one_way = flowing.one_way;
        let phase = mem::replace(&mut flowing.phase, Phase::Running);
        *state = StreamState::Running { one_way };
        let Phase::Assembling(assembling) = phase else {
            return ServerEvent::None;
        };
        let Assembling { mut request, since } = *assembling;
        request.body = message.body;
        let passed = now.saturating_duration_since(since);
        request.timeout = request.timeout.map(|left| left.saturating_sub(passed));
        ServerEvent::Request(request)
    }

    /// A body on an open stream that is not taken: the call ends, the connection lives.
    #[cold]
    fn on_unwanted(
        &mut self,
        stream_id: u64,
        refusal: Refusal,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        self.count_refusal(refusal, now)?;
        let (code, text) = refusal.status();
        Ok(self.give_up(stream_id, code, text, out))
    }

    /// Ends a call because of what its client sent; its handler is to be dropped, where there is one.
    fn give_up(
        &mut self,
        stream_id: u64,
        code: Code,
        text: &'static str,
        out: &mut impl Output,
    ) -> ServerEvent {
        let runs = self.is_known(stream_id);
        match self.silence(stream_id) {
            Some(one_way) => {
                if one_way {
                    send_reset(stream_id, code, out);
                } else {
                    End::new(code, text).encode(stream_id, out);
                }
                self.flow.widen(out);
                if runs {
                    ServerEvent::Cancelled { stream_id, code }
                } else {
                    ServerEvent::None
                }
            }
            None => ServerEvent::None,
        }
    }

    pub(super) fn on_end(&mut self, stream_id: u64) -> Result<ServerEvent, ConnectionError> {
        self.check_opened(stream_id, "end")?;
        match self.streams.get_mut(stream_id) {
            Some(StreamState::Flowing(flowing)) if !matches!(flowing.phase, Phase::Assembling(_)) => {
                Ok(if flowing.inbound.end(stream_id)? {
                    ServerEvent::HalfClosed { stream_id }
                } else {
                    ServerEvent::None
                })
            }
            Some(StreamState::Running { .. } | StreamState::Flowing(_)) => {
                Err(ConnectionError::UnexpectedFrame {
                    stream_id,
                    kind: "end",
                })
            }
            Some(StreamState::Silent) | None => Ok(ServerEvent::None),
        }
    }

    pub(super) fn on_credit(&mut self, stream_id: u64, credit: Credit) -> Result<(), ConnectionError> {
        if stream_id == 0 {
            self.flow.on_credit(credit.bytes);
            return Ok(());
        }
        self.check_opened(stream_id, "credit")?;
        // Also before anything was sent: a client may widen a stream's window as soon as it has opened it.
        self.make_flowing(stream_id);
        if let Some(StreamState::Flowing(flowing)) = self.streams.get_mut(stream_id) {
            self.flow
                .on_stream_credit(stream_id, &mut flowing.outbound, credit.bytes);
        }
        Ok(())
    }

    pub(super) fn on_reset(
        &mut self,
        stream_id: u64,
        reset: &Reset,
        now: Instant,
    ) -> Result<ServerEvent, ConnectionError> {
        self.check_opened(stream_id, "reset")?;
        // Counted whether or not the call still runs: a storm of calls that are answered at once costs as much.
        let second = self.seconds.at(now);
        let resets = self.resets.add(second);
        if resets > self.limits.max_resets && resets > self.opens.total(second) / 2 {
            return Err(ConnectionError::TooManyResets);
        }
        let runs = self.is_known(stream_id);
        Ok(match self.silence(stream_id) {
            Some(_) if runs => ServerEvent::Cancelled {
                stream_id,
                code: Code::from_i32(reset.code),
            },
            _ => ServerEvent::None,
        })
    }

    /// A kind of a later version. What it asks for is not known, so its stream cannot go on.
    pub(super) fn on_unknown(
        &mut self,
        stream_id: u64,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        let refusal = Refusal::UnknownKind;
        if stream_id > self.last_stream_id {
            self.open(stream_id, now)?;
            return self.refuse(stream_id, false, refusal, now, out);
        }
        let (code, text) = refusal.status();
        Ok(self.give_up(stream_id, code, text, out))
    }

    pub(super) fn check_opened(&self, stream_id: u64, kind: &'static str) -> Result<(), ConnectionError> {
        if stream_id > self.last_stream_id {
            return Err(ConnectionError::StreamNotOpened { stream_id, kind });
        }
        Ok(())
    }

    /// Whether the application has a handler for a stream.
    fn is_known(&self, stream_id: u64) -> bool {
        match self.streams.get(stream_id) {
            Some(StreamState::Flowing(flowing)) => {
                matches!(flowing.phase, Phase::Running | Phase::Opened)
            }
            Some(StreamState::Running { .. } | StreamState::Silent) => true,
            None => false,
        }
    }

    /// Lets nothing more be sent for a stream; tells whether it was one-way. Its slot is kept for the handler, where there
    /// is one.
    pub(super) fn silence(&mut self, stream_id: u64) -> Option<bool> {
        self.park_in_hand();
        let runs = self.is_known(stream_id);
        let state = self.streams.get_mut(stream_id)?;
        let one_way = match state {
            StreamState::Running { one_way } => *one_way,
            StreamState::Flowing(flowing) => {
                flowing.abandon(stream_id, &mut self.flow);
                flowing.one_way
            }
            StreamState::Silent => return None,
        };
        if runs {
            *state = StreamState::Silent;
        } else {
            self.streams.remove(stream_id);
            self.liveness.on_close();
        }
        Some(one_way)
    }
}

pub(super) fn send_reset(stream_id: u64, code: Code, out: &mut impl Output) {
    Reset { code: code.as_i32() }.encode(stream_id, out);
}
