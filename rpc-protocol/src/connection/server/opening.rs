//! How a client opens calls on the server's end, and what is refused.

use std::mem;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::receiving::send_reset;
use super::refusal::Refusal;
use super::stream::{Assembling, Flowing, Phase, StreamState};
use super::{InHand, IncomingRequest, ServerConnection, ServerEvent};
use crate::connection::ConnectionError;
use crate::connection::inbound::Inbound;
use crate::connection::outbound::Outbound;
use crate::frame::{Compression, End, Request};
use crate::{MethodRef, Output};

/// The longest name of a method that is kept until a request is whole: no window counts it.
const LONGEST_NAME: usize = 1 << 10;

impl ServerConnection {
    #[inline]
    pub(super) fn on_request(
        &mut self,
        stream_id: u64,
        request: &mut Request,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        let opens = self.open(stream_id, now)?;
        // Counted as consumed: the application gets it with this event, or it is dropped.
        self.flow.receive_and_forget(request.body.len(), out)?;
        if request.open || request.more {
            return self.on_long_request(stream_id, request, opens, now, out);
        }
        if let Some(refusal) = self.refusal(request, opens) {
            return self.refuse(stream_id, request.one_way, refusal, now, out);
        }
        self.in_hand = Some(InHand {
            stream_id,
            one_way: request.one_way,
            open: false,
        });
        Ok(ServerEvent::Request(IncomingRequest::of(stream_id, request)))
    }

    /// A request after which more is to come.
    #[cold]
    fn on_long_request(
        &mut self,
        stream_id: u64,
        request: &mut Request,
        opens: u32,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        if request.open && (request.more || request.one_way || !request.body.is_empty()) {
            return Err(ConnectionError::MalformedFrame {
                stream_id,
                kind: "request",
            });
        }
        if let Some(refusal) = self.refusal(request, opens) {
            return self.refuse_long(stream_id, request.one_way, refusal, now, out);
        }
        if request.open {
            self.in_hand = Some(InHand {
                stream_id,
                one_way: false,
                open: true,
            });
            return Ok(ServerEvent::Request(IncomingRequest::of(stream_id, request)));
        }
        if self.awaits_authentication {
            return self.refuse_long(stream_id, request.one_way, Refusal::Unauthenticated, now, out);
        }
        if request.method_name.len() > LONGEST_NAME {
            return self.refuse_long(stream_id, request.one_way, Refusal::MethodName, now, out);
        }
        let mut inbound = Inbound::receiving(&self.flow);
        let begun = inbound.begin(&request.body, request.compression, &mut self.flow, &self.limits);
        if let Err(unwanted) = begun {
            return self.refuse_long(stream_id, request.one_way, unwanted.into(), now, out);
        }
        request.body = Bytes::new();
        self.streams.insert(
            stream_id,
            StreamState::Flowing(Box::new(Flowing {
                one_way: request.one_way,
                inbound,
                outbound: Outbound::open(self.flow.stream_send_window()),
                phase: Phase::Assembling(Box::new(Assembling {
                    request: IncomingRequest::of(stream_id, request),
                    since: now,
                })),
            })),
        );
        Ok(ServerEvent::None)
    }

    /// Counts a stream as opened; gives how many were of late.
    #[inline]
    pub(super) fn open(&mut self, stream_id: u64, now: Instant) -> Result<u32, ConnectionError> {
        if stream_id <= self.last_stream_id {
            return Err(ConnectionError::StreamIdNotIncreasing {
                stream_id,
                last: self.last_stream_id,
            });
        }
        self.last_stream_id = stream_id;
        Ok(self.opens.add(self.seconds.at(now)))
    }

    #[inline]
    fn refusal(&self, request: &Request, opens: u32) -> Option<Refusal> {
        if self.draining {
            Some(Refusal::Draining)
        } else if self.streams.len() >= self.limits.max_streams {
            Some(Refusal::TooManyStreams)
        } else if opens > self.limits.max_opens {
            Some(Refusal::TooManyOpens)
        } else if request.body.len() > self.limits.max_body_bytes {
            Some(Refusal::TooLong)
        } else if request.compression != Compression::NONE
            && !self.limits.compressions.contains(&request.compression)
        {
            Some(Refusal::Compression)
        } else if !request.metadata.is_empty() && !self.limits.allow(&request.metadata) {
            Some(Refusal::Metadata)
        } else {
            None
        }
    }

    #[cold]
    pub(super) fn refuse(
        &mut self,
        stream_id: u64,
        one_way: bool,
        refusal: Refusal,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        self.count_refusal(refusal, now)?;
        if !one_way {
            let (code, text) = refusal.status();
            End::new(code, text).encode(stream_id, out);
        }
        Ok(ServerEvent::None)
    }

    /// Refuses a request of which more is on its way. Of a one-way call too, its client is told to stop: what it has not
    /// sent waits for credit that would never come.
    fn refuse_long(
        &mut self,
        stream_id: u64,
        one_way: bool,
        refusal: Refusal,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        if one_way {
            send_reset(stream_id, refusal.status().0, out);
        }
        self.refuse(stream_id, one_way, refusal, now, out)
    }

    pub(super) fn count_refusal(&mut self, refusal: Refusal, now: Instant) -> Result<(), ConnectionError> {
        // A client that has not seen the go-away yet does nothing wrong; all other refusals cost it.
        if refusal == Refusal::Draining {
            self.refusals.1 += 1;
            return Ok(());
        }
        self.refusals.0 += 1;
        if self.refused.add(self.seconds.at(now)) >= self.limits.max_refused_streams {
            return Err(ConnectionError::TooManyRefusedStreams);
        }
        Ok(())
    }
}

impl IncomingRequest {
    #[inline]
    fn of(stream_id: u64, request: &mut Request) -> Self {
        Self {
            stream_id,
            method: match request.method {
                0 => MethodRef::Name(mem::take(&mut request.method_name)),
                number => MethodRef::Number(number),
            },
            metadata: mem::take(&mut request.metadata),
            timeout: match request.timeout_us {
                0 => None,
                micros => Some(Duration::from_micros(micros)),
            },
            one_way: request.one_way,
            open: request.open,
            compression: request.compression,
            body: mem::take(&mut request.body),
        }
    }
}
