//! What frames of streams do to the client's end.

use std::mem;

use super::sending::reset;
use super::stream::{CallState, Flowing, Phase};
use super::{ClientConnection, ClientEvent};
use crate::connection::ConnectionError;
use crate::connection::flow::Flow;
use crate::connection::inbound::{self, Inbound, Received, StreamMessage, Unwanted};
use crate::connection::outbound::Outbound;
use crate::connection::window::DATA_FRAME_COST;
use crate::frame::{Data, End, FrameKind, Response, Status};
use crate::{Code, Output};

impl ClientConnection {
    #[inline]
    pub(super) fn on_response(
        &mut self,
        stream_id: u64,
        response: &mut Response,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        self.flow.receive_and_forget(response.body.len(), out)?;
        if response.open || response.more {
            return self.on_long_response(stream_id, mem::take(response), out);
        }
        match self.calls.remove(stream_id) {
            Some(CallState::Waiting) => {}
            Some(CallState::Flowing(flowing)) => self.close_flowing(stream_id, *flowing)?,
            None => return Ok(ClientEvent::None),
        }
        let unwanted = match inbound::check(response.body.len(), response.compression, &self.limits) {
            Ok(()) if self.allows(response) => {
                return Ok(ClientEvent::Response {
                    stream_id,
                    response: mem::take(response),
                });
            }
            Ok(()) => Unwanted::Metadata,
            Err(unwanted) => unwanted,
        };
        Ok(refused(stream_id, unwanted))
    }

    /// A final response came in one frame for a call that had more than one the other way.
    #[cold]
    fn close_flowing(&mut self, stream_id: u64, mut flowing: Flowing) -> Result<(), ConnectionError> {
        flowing.abandon(stream_id, &mut self.flow);
        match flowing.phase {
            Phase::Waiting => Ok(()),
            _ => Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: "response",
            }),
        }
    }

    #[inline]
    fn allows(&self, response: &Response) -> bool {
        (response.metadata.is_empty() || self.limits.allow(&response.metadata))
            && (response.trailers.is_empty() || self.limits.allow(&response.trailers))
    }

    /// A response after which more is to come.
    #[cold]
    fn on_long_response(
        &mut self,
        stream_id: u64,
        mut response: Response,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        if response.open && (response.more || !response.body.is_empty()) {
            return Err(ConnectionError::MalformedFrame {
                stream_id,
                kind: "response",
            });
        }
        let allowed = self.allows(&response);
        let Some(flowing) = flowing_of(self.calls.get_mut(stream_id), &self.flow) else {
            return Ok(ClientEvent::None);
        };
        if !matches!(flowing.phase, Phase::Waiting) {
            return Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: "response",
            });
        }
        flowing.inbound = Inbound::receiving(&self.flow);
        if !allowed {
            return Ok(self.give_up(stream_id, Unwanted::Metadata, out));
        }
        if response.open {
            flowing.phase = Phase::Opened;
            return Ok(ClientEvent::Opened { stream_id, response });
        }
        let body = mem::take(&mut response.body);
        let begun = flowing
            .inbound
            .begin(&body, response.compression, &mut self.flow, &self.limits);
        match begun {
            Ok(()) => {
                flowing.phase = Phase::Assembling(Box::new(response));
                Ok(ClientEvent::None)
            }
            Err(unwanted) => Ok(self.give_up(stream_id, unwanted, out)),
        }
    }

    #[inline]
    pub(super) fn on_data(
        &mut self,
        stream_id: u64,
        data: &mut Data,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        let flowing = match self.calls.get_mut(stream_id) {
            Some(CallState::Flowing(flowing)) => flowing,
            Some(CallState::Waiting) => {
                return Err(ConnectionError::UnexpectedFrame {
                    stream_id,
                    kind: "data",
                });
            }
            None => {
                self.flow
                    .receive_and_forget(data.body.len() + DATA_FRAME_COST, out)?;
                return Ok(ClientEvent::None);
            }
        };
        match flowing
            .inbound
            .on_data(stream_id, data, &mut self.flow, &self.limits, out)?
        {
            Received::Nothing => Ok(ClientEvent::None),
            Received::Message(message) => match &mut flowing.phase {
                Phase::Assembling(response) => {
                    let response = mem::take(&mut **response);
                    Ok(self.on_whole_response(stream_id, response, message, out))
                }
                _ => Ok(ClientEvent::Message { stream_id, message }),
            },
            Received::Unwanted(unwanted) => Ok(self.give_up(stream_id, unwanted, out)),
        }
    }

    /// The last part of a final response's body has come.
    fn on_whole_response(
        &mut self,
        stream_id: u64,
        response: Response,
        message: StreamMessage,
        out: &mut impl Output,
    ) -> ClientEvent {
        // What the application is given with the outcome counts as consumed.
        self.remove(stream_id);
        self.flow.widen(out);
        ClientEvent::Response {
            stream_id,
            response: Response {
                more: false,
                body: message.body,
                ..response
            },
        }
    }

    /// Ends a call whose response is not taken, for this call only: the server may stop.
    #[cold]
    fn give_up(&mut self, stream_id: u64, unwanted: Unwanted, out: &mut impl Output) -> ClientEvent {
        let (code, _) = reason(unwanted);
        self.remove(stream_id);
        reset(stream_id, code, out);
        self.flow.widen(out);
        refused(stream_id, unwanted)
    }

    pub(super) fn on_end(&mut self, stream_id: u64, mut end: End, out: &mut impl Output) -> ClientEvent {
        let opened = match self.calls.get(stream_id) {
            Some(CallState::Flowing(flowing)) => match flowing.phase {
                Phase::Opened => true,
                // Nothing is sent back for it, and nothing needs to.
                Phase::OneWay => return ClientEvent::None,
                Phase::Waiting | Phase::Assembling(_) => false,
            },
            Some(CallState::Waiting) => false,
            None => return ClientEvent::None,
        };
        self.remove(stream_id);
        self.flow.widen(out);
        if !self.limits.allow(&end.trailers) {
            return refused(stream_id, Unwanted::Metadata);
        }
        if !opened && end.status.as_ref().is_none_or(|status| status.code == 0) {
            end.status = Some(Status::new(Code::Internal, "the call ended without a response"));
        }
        ClientEvent::End { stream_id, end }
    }

    /// All other frames of a stream that was opened.
    pub(super) fn on_stream_frame(
        &mut self,
        stream_id: u64,
        kind: FrameKind,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        match kind {
            FrameKind::End(end) => Ok(self.on_end(stream_id, end, out)),
            FrameKind::Reset(_) => Ok(self.on_reset(stream_id)),
            FrameKind::Credit(credit) => {
                if let Some(CallState::Flowing(flowing)) = self.calls.get_mut(stream_id) {
                    self.flow
                        .on_stream_credit(stream_id, &mut flowing.outbound, credit.bytes);
                }
                Ok(ClientEvent::None)
            }
            FrameKind::Unknown => Ok(ClientEvent::None),
            kind => Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: kind.name(),
            }),
        }
    }

    /// The server reads no more of a stream.
    fn on_reset(&mut self, stream_id: u64) -> ClientEvent {
        let Some(CallState::Flowing(flowing)) = self.calls.get_mut(stream_id) else {
            return ClientEvent::None;
        };
        let tell = flowing.outbound.is_open();
        self.flow.abandon(stream_id, &mut flowing.outbound);
        if matches!(flowing.phase, Phase::OneWay) {
            self.calls.remove(stream_id);
        }
        if tell {
            ClientEvent::StopSending { stream_id }
        } else {
            ClientEvent::None
        }
    }
}

/// The call as one that flows.
fn flowing_of<'a>(call: Option<&'a mut CallState>, flow: &Flow) -> Option<&'a mut Flowing> {
    let call = call?;
    if let CallState::Waiting = call {
        let outbound = Outbound::shut(flow.stream_send_window());
        *call = CallState::Flowing(Flowing::waiting(outbound, flow));
    }
    match call {
        CallState::Flowing(flowing) => Some(flowing),
        CallState::Waiting => None,
    }
}

fn reason(unwanted: Unwanted) -> (Code, &'static str) {
    match unwanted {
        Unwanted::TooLong => (
            Code::ResourceExhausted,
            "the response is over this client's limit",
        ),
        Unwanted::TooMuchInTheMaking => (
            Code::ResourceExhausted,
            "too many long responses at a time for this client",
        ),
        Unwanted::Metadata => (
            Code::ResourceExhausted,
            "the metadata is over this client's limit",
        ),
        Unwanted::Compression => (
            Code::Internal,
            "the response is compressed in a way that this client does not read",
        ),
    }
}

#[cold]
fn refused(stream_id: u64, unwanted: Unwanted) -> ClientEvent {
    let (code, text) = reason(unwanted);
    ClientEvent::End {
        stream_id,
        end: End::new(code, text),
    }
}
