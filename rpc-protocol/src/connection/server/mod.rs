//! The server's end of a connection: its state, and what messages do to it.
//!
//! What the runtime asks of it is in `commands`; the answers that it gives on its own are in `refusal`.

mod commands;
mod refusal;

use std::mem;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::refusal::Refusal;
use super::ConnectionError;
use super::counter::{Counter, Seconds};
use super::liveness::Liveness;
use super::table::StreamTable;
use crate::frame::{
    Compression, End, Frame, FrameKind, GoAway, Greeting, Identity, Metadata, Request, Reset, Status,
};
use crate::limits::PeerLimits;
use crate::{Code, Limits, MethodRef, Output};

/// The server's end of a connection: takes messages and commands, writes frames and gives events.
///
/// Feed it every binary message with [`handle_message`](Self::handle_message). A request that comes out of it is *in
/// hand*: answered at once, it never touches the table of streams. One that takes longer is registered by
/// [`park`](Self::park), or by the next message.
///
/// ```text
///              request                respond / end / finished
///   (closed) ───────────▶ in hand ─────────────────────────────▶ (closed)
///                            │ park, or the next message
///                            ▼        respond / end / finished
///                         running ─────────────────────────────▶ (closed)
///                            │ reset by the client, or end_running
///                            ▼        finished, or respond / end, which then send nothing
///                          silent ─────────────────────────────▶ (closed)
/// ```
///
/// A stream in hand, running or silent takes one of [`Limits::max_streams`]: a client that resets its calls frees
/// nothing before their handlers have really ended.
///
/// After an error the connection is to be closed with its [`close_code`](ConnectionError::close_code), and nothing
/// more is to be fed to it.
#[derive(Debug)]
pub struct ServerConnection {
    limits: Limits,
    peer: PeerLimits,
    /// The highest id that a stream was opened with. Every id up to it was used or skipped.
    last_stream_id: u64,
    /// The request that the last message brought and that is neither answered nor parked.
    in_hand: Option<InHand>,
    /// Streams that are running or silent. Never holds the one in hand.
    streams: StreamTable<StreamState>,
    draining: bool,
    greeted: bool,
    seconds: Seconds,
    liveness: Liveness,
    opens: Counter,
    resets: Counter,
    refused: Counter,
    faults: Counter,
}

#[derive(Clone, Copy, Debug)]
struct InHand {
    stream_id: u64,
    one_way: bool,
}

/// See the diagram at [`ServerConnection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StreamState {
    /// The handler runs; an answer is owed, unless the call is one-way.
    Running { one_way: bool },
    /// The handler has not ended yet, but nothing more is sent.
    Silent,
}

/// What a message brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// Nothing for the application.
    None,
    /// A call, which is now in hand.
    Request(IncomingRequest),
    /// The client gave a running call up: drop its handler, then say [`ServerConnection::finished`].
    Cancelled {
        /// The call.
        stream_id: u64,
        /// Why, as the client says; mostly [`Code::Cancelled`].
        code: Code,
    },
    /// The client introduced itself; its limits are in force.
    Greeting(Box<Greeting>),
    /// The client is about to leave.
    GoAway(GoAway),
}

/// A call that a client makes.
#[derive(Debug)]
#[non_exhaustive]
pub struct IncomingRequest {
    /// By which it is answered.
    pub stream_id: u64,
    /// What is called.
    pub method: MethodRef,
    /// What goes with the call; within the limits.
    pub metadata: Vec<Metadata>,
    /// What is left until the caller's deadline.
    pub timeout: Option<Duration>,
    /// Whether nothing is sent back. `respond` and `end` then send nothing.
    pub one_way: bool,
    /// The encoded request message: a part of the received buffer.
    pub body: Bytes,
}

impl ServerConnection {
    /// A connection on which nothing has been sent yet. `now` is when it began.
    #[must_use]
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            peer: PeerLimits::default(),
            last_stream_id: 0,
            in_hand: None,
            streams: StreamTable::default(),
            draining: false,
            greeted: false,
            seconds: Seconds::new(now),
            liveness: Liveness::new(now),
            opens: Counter::default(),
            resets: Counter::default(),
            refused: Counter::default(),
            faults: Counter::default(),
        }
    }

    /// Takes one binary WebSocket message.
    ///
    /// # Errors
    ///
    /// The connection is to be closed; nothing of this message was dispatched.
    #[inline]
    pub fn handle_message(
        &mut self,
        message: Bytes,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        self.park_in_hand();
        self.liveness.on_message(now);
        // Read and taken apart in place: moving a whole request costs about as much as reading it.
        let mut frame = Frame::default();
        frame.read(message)?;
        match &mut frame.kind {
            FrameKind::Request(request) => self.on_request(frame.stream_id, request, now, out),
            _ => self.on_other(frame.stream_id, frame.kind, now, out),
        }
    }

    #[inline]
    fn on_request(
        &mut self,
        stream_id: u64,
        request: &mut Request,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        self.open(stream_id, now)?;
        if let Some(refusal) = self.refusal(request) {
            return self.refuse(stream_id, request.one_way, refusal, now, out);
        }
        self.in_hand = Some(InHand {
            stream_id,
            one_way: request.one_way,
        });
        Ok(ServerEvent::Request(IncomingRequest {
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
            body: mem::take(&mut request.body),
        }))
    }

    #[inline]
    fn open(&mut self, stream_id: u64, now: Instant) -> Result<(), ConnectionError> {
        if stream_id <= self.last_stream_id {
            return Err(ConnectionError::StreamIdNotIncreasing {
                stream_id,
                last: self.last_stream_id,
            });
        }
        self.last_stream_id = stream_id;
        self.opens.add(self.seconds.at(now));
        Ok(())
    }

    #[inline]
    fn refusal(&self, request: &Request) -> Option<Refusal> {
        if self.draining {
            Some(Refusal::Draining)
        } else if self.streams.len() >= self.limits.max_streams {
            Some(Refusal::TooManyStreams)
        } else if request.open || request.more {
            Some(Refusal::Streaming)
        } else if request.compression != Compression::NONE {
            Some(Refusal::Compression)
        } else if !request.metadata.is_empty() && self.is_too_much(&request.metadata) {
            Some(Refusal::Metadata)
        } else {
            None
        }
    }

    fn is_too_much(&self, metadata: &[Metadata]) -> bool {
        metadata.len() > self.limits.max_metadata_entries
            || metadata.iter().map(Metadata::size).sum::<usize>() > self.limits.max_metadata_bytes
    }

    #[cold]
    fn refuse(
        &mut self,
        stream_id: u64,
        one_way: bool,
        refusal: Refusal,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        // A client that has not seen the go-away yet does nothing wrong; all other refusals cost it.
        if refusal != Refusal::Draining
            && self.refused.add(self.seconds.at(now)) >= self.limits.max_refused_streams
        {
            return Err(ConnectionError::TooManyRefusedStreams);
        }
        if !one_way {
            let (code, text) = refusal.status();
            End::new(code, text).encode(stream_id, out);
        }
        Ok(ServerEvent::None)
    }

    fn on_other(
        &mut self,
        stream_id: u64,
        kind: FrameKind,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        let name = kind.name();
        let unexpected = ConnectionError::UnexpectedFrame {
            stream_id,
            kind: name,
        };
        match kind {
            FrameKind::Reset(reset) if stream_id != 0 => {
                self.check_opened(stream_id, name)?;
                self.on_reset(stream_id, &reset, now)
            }
            // Of a stream that was refused, or is cancelled, more may be on its way. A running one is unary: its
            // request was whole.
            FrameKind::Data(_) | FrameKind::End(_) if stream_id != 0 => {
                self.check_opened(stream_id, name)?;
                match self.streams.get_mut(stream_id) {
                    Some(StreamState::Running { .. }) => Err(unexpected),
                    Some(StreamState::Silent) | None => Ok(ServerEvent::None),
                }
            }
            // Answers are not held back by windows yet, so there is nothing to widen.
            FrameKind::Credit(_) if stream_id == 0 => Ok(ServerEvent::None),
            FrameKind::Credit(_) => {
                self.check_opened(stream_id, name)?;
                Ok(ServerEvent::None)
            }
            FrameKind::Unknown if stream_id == 0 => Ok(ServerEvent::None),
            FrameKind::Unknown => self.on_unknown(stream_id, now, out),
            FrameKind::Ping(ping) if stream_id == 0 => {
                self.liveness
                    .on_ping(&ping, self.seconds.at(now), &self.limits, out)?;
                Ok(ServerEvent::None)
            }
            FrameKind::Pong(_) | FrameKind::Acknowledgement(_) if stream_id == 0 => Ok(ServerEvent::None),
            FrameKind::Greeting(greeting) if stream_id == 0 && !self.greeted => {
                self.greeted = true;
                self.peer = greeting.limits.as_ref().map(PeerLimits::of).unwrap_or_default();
                Ok(ServerEvent::Greeting(greeting))
            }
            FrameKind::GoAway(go_away) if stream_id == 0 => Ok(ServerEvent::GoAway(go_away)),
            FrameKind::Authenticate(authenticate) if stream_id == 0 => {
                self.fault(now)?;
                let status = Status::new(Code::Unimplemented, "authentication is not served here");
                Identity {
                    request_id: authenticate.request_id,
                    status: Some(status),
                    ..Identity::default()
                }
                .encode(0, out);
                Ok(ServerEvent::None)
            }
            _ => Err(unexpected),
        }
    }

    fn on_reset(
        &mut self,
        stream_id: u64,
        reset: &Reset,
        now: Instant,
    ) -> Result<ServerEvent, ConnectionError> {
        // Counted whether or not the call still runs: a storm of calls that are answered at once costs as much.
        let second = self.seconds.at(now);
        let resets = self.resets.add(second);
        if resets > self.limits.max_resets && resets > self.opens.total(second) / 2 {
            return Err(ConnectionError::TooManyResets);
        }
        Ok(match self.silence(stream_id) {
            Some(_) => ServerEvent::Cancelled {
                stream_id,
                code: Code::from_i32(reset.code),
            },
            None => ServerEvent::None,
        })
    }

    /// A kind of a later version. What it asks for is not known, so its stream cannot go on.
    fn on_unknown(
        &mut self,
        stream_id: u64,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        if stream_id > self.last_stream_id {
            self.open(stream_id, now)?;
            return self.refuse(stream_id, false, Refusal::UnknownKind, now, out);
        }
        Ok(match self.silence(stream_id) {
            Some(one_way) => {
                if !one_way {
                    let (code, text) = Refusal::UnknownKind.status();
                    End::new(code, text).encode(stream_id, out);
                }
                ServerEvent::Cancelled {
                    stream_id,
                    code: Code::Unimplemented,
                }
            }
            None => ServerEvent::None,
        })
    }

    fn check_opened(&self, stream_id: u64, kind: &'static str) -> Result<(), ConnectionError> {
        if stream_id > self.last_stream_id {
            return Err(ConnectionError::StreamNotOpened { stream_id, kind });
        }
        Ok(())
    }

    /// Lets nothing more be sent for a running stream; tells whether it was one-way.
    fn silence(&mut self, stream_id: u64) -> Option<bool> {
        self.park_in_hand();
        let state = self.streams.get_mut(stream_id)?;
        match *state {
            StreamState::Running { one_way } => {
                *state = StreamState::Silent;
                Some(one_way)
            }
            StreamState::Silent => None,
        }
    }

    #[inline]
    fn park_in_hand(&mut self) {
        if let Some(InHand { stream_id, one_way }) = self.in_hand.take() {
            self.streams.insert(stream_id, StreamState::Running { one_way });
        }
    }
}
