//! The server's end of a connection.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::counter::{Counter, Seconds};
use super::liveness::Liveness;
use super::table::StreamTable;
use super::{ConnectionError, TooLarge};
use crate::frame::{
    Compression, End, Frame, FrameKind, GoAway, Greeting, Identity, Metadata, Request, Reset, Response,
    Status,
};
use crate::limits::PeerLimits;
use crate::{Body, Code, Limits, MethodRef, Output};

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
        let Frame { stream_id, kind } = Frame::decode(message)?;
        match kind {
            FrameKind::Request(request) => self.on_request(stream_id, request, now, out),
            kind => self.on_other(stream_id, kind, now, out),
        }
    }

    #[inline]
    fn on_request(
        &mut self,
        stream_id: u64,
        request: Request,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        self.open(stream_id, now)?;
        if let Some(refusal) = self.refusal(&request) {
            return self.refuse(stream_id, request.one_way, refusal, now, out);
        }
        self.in_hand = Some(InHand {
            stream_id,
            one_way: request.one_way,
        });
        Ok(ServerEvent::Request(IncomingRequest {
            stream_id,
            method: match request.method {
                0 => MethodRef::Name(request.method_name),
                number => MethodRef::Number(number),
            },
            metadata: request.metadata,
            timeout: match request.timeout_us {
                0 => None,
                micros => Some(Duration::from_micros(micros)),
            },
            one_way: request.one_way,
            body: request.body,
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

/// Commands of the runtime.
impl ServerConnection {
    /// Registers the request in hand as running, because it is not answered at once. The next message would do the
    /// same; a stream that is not in hand is left alone.
    pub fn park(&mut self, stream_id: u64) {
        if self.in_hand.is_some_and(|in_hand| in_hand.stream_id == stream_id) {
            self.park_in_hand();
        }
    }

    /// Ends a call with a response: `response` without its body, which is given apart. Sends nothing where the call
    /// is one-way or was cancelled. The handler has ended; its slot is free.
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
        debug_assert!(!response.open && !response.more, "a unary response is one frame");
        if !self.close(stream_id) {
            return Ok(());
        }
        let len = response.frame_len(stream_id, body.encoded_len());
        if len.total > self.peer.max_message_bytes {
            return Err(self.end_too_large(stream_id, len.total, out));
        }
        response.encode_measured(stream_id, body, len, out);
        Ok(())
    }

    /// Ends a call with a status. Sends nothing where the call is one-way or was cancelled. The handler has ended; its
    /// slot is free.
    ///
    /// # Errors
    ///
    /// [`TooLarge`]: the status is over the peer's limit, and was sent without message, details and trailers.
    pub fn end(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        if self.close(stream_id) {
            self.send_end(stream_id, end, out)
        } else {
            Ok(())
        }
    }

    /// Ends a call with a status while its handler still runs: for a deadline or a drain that cannot drop the handler
    /// at once. Keeps the slot until [`finished`](Self::finished).
    ///
    /// # Errors
    ///
    /// Like [`end`](Self::end).
    pub fn end_running(&mut self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        match self.silence(stream_id) {
            Some(false) => self.send_end(stream_id, end, out),
            Some(true) | None => Ok(()),
        }
    }

    /// The handler of a call that was cancelled, ended early or one-way has ended: its slot is free. A call that owes
    /// an answer is ended by [`respond`](Self::respond) or [`end`](Self::end) instead.
    pub fn finished(&mut self, stream_id: u64) {
        self.close(stream_id);
    }

    /// Sends the greeting. Limits and heartbeat are filled in where the caller left them empty.
    pub fn greet(&mut self, mut greeting: Greeting, out: &mut impl Output) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        greeting.limits.get_or_insert_with(|| self.limits.announced());
        if let Some(interval) = self.limits.keep_alive_interval
            && greeting.heartbeat_interval_us == 0
        {
            greeting.heartbeat_interval_us = micros(interval);
            greeting.heartbeat_timeout_us = micros(self.limits.keep_alive_timeout);
        }
        greeting.encode(0, out);
    }

    /// Announces a drain: from now on new calls are answered UNAVAILABLE, running ones may finish. The last stream id
    /// is filled in. A second call sends the frame again.
    pub fn go_away(&mut self, mut go_away: GoAway, out: &mut impl Output) {
        self.draining = true;
        go_away.last_stream_id = self.last_stream_id;
        go_away.encode(0, out);
    }

    /// Counts a fault of the peer's own making: a body that does not decode, or an unknown method.
    ///
    /// # Errors
    ///
    /// There were more than [`Limits::max_faults`] in ten seconds: the connection is to be closed.
    pub fn fault(&mut self, now: Instant) -> Result<(), ConnectionError> {
        if self.faults.add(self.seconds.at(now)) > self.limits.max_faults {
            return Err(ConnectionError::TooManyFaults);
        }
        Ok(())
    }

    /// Everything that was written to the output so far has left: pings are answered again.
    pub fn handle_flushed(&mut self) {
        self.liveness.on_flushed();
    }

    /// Something arrived that is no message of ours, such as a WebSocket pong: the peer is there.
    pub fn handle_activity(&mut self, now: Instant) {
        self.liveness.on_message(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called. Messages only move it to later, so a timer that
    /// was armed for an earlier time may be left to fire and be armed anew.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.liveness.deadline(&self.limits)
    }

    /// Does what is due: pings a silent peer. Does nothing when called too early.
    ///
    /// # Errors
    ///
    /// The peer did not answer: the connection is to be closed.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl Output) -> Result<(), ConnectionError> {
        self.liveness.on_timeout(now, self.seconds, &self.limits, out)
    }

    /// The limits that this side keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What the client accepts.
    #[must_use]
    pub fn peer_limits(&self) -> PeerLimits {
        self.peer
    }

    /// Calls that have not ended: in hand, running or cancelled with their handlers still at work.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.len() + usize::from(self.in_hand.is_some())
    }

    /// Whether a go-away was sent.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Ends a stream; tells whether an answer may be sent for it.
    #[inline]
    fn close(&mut self, stream_id: u64) -> bool {
        if let Some(in_hand) = self.in_hand
            && in_hand.stream_id == stream_id
        {
            self.in_hand = None;
            return !in_hand.one_way;
        }
        matches!(
            self.streams.remove(stream_id),
            Some(StreamState::Running { one_way: false })
        )
    }

    fn send_end(&self, stream_id: u64, end: &End, out: &mut impl Output) -> Result<(), TooLarge> {
        let len = end.message_len(stream_id);
        let limit = self.peer.max_message_bytes;
        if len <= limit {
            end.encode(stream_id, out);
            return Ok(());
        }
        let code = end.status.as_ref().map_or(Code::Ok, Status::code);
        End::new(code, "").encode(stream_id, out);
        Err(TooLarge { len, limit })
    }

    #[cold]
    fn end_too_large(&self, stream_id: u64, len: usize, out: &mut impl Output) -> TooLarge {
        let error = TooLarge {
            len,
            limit: self.peer.max_message_bytes,
        };
        End::new(Code::ResourceExhausted, "the response is over the client's limit").encode(stream_id, out);
        error
    }
}

/// Why a request is answered without asking the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Draining,
    TooManyStreams,
    Streaming,
    Compression,
    Metadata,
    UnknownKind,
}

impl Refusal {
    const fn status(self) -> (Code, &'static str) {
        match self {
            Self::Draining => (
                Code::Unavailable,
                "the server is going away; the call has not run",
            ),
            Self::TooManyStreams => (
                Code::ResourceExhausted,
                "too many calls at a time on this connection",
            ),
            Self::Streaming => (
                Code::Unimplemented,
                "streams and bodies in several frames are not served",
            ),
            Self::Compression => (Code::Unimplemented, "the compression is not served"),
            Self::Metadata => (Code::ResourceExhausted, "the metadata is over the limit"),
            Self::UnknownKind => (Code::Unimplemented, "the kind of frame is not served"),
        }
    }
}
