//! The server's end of a connection: its state, and what messages do to it.
//!
//! How calls are opened is in `opening`, what other frames of streams do in `receiving`, what is sent for calls in `responding` and `sending`, what else the runtime asks of it in
//! `commands`, and who the client is in `identity`; the answers that it gives on its own are in `refusal`, what it holds of a stream in `stream`.

mod commands;
mod identity;
mod opening;
mod receiving;
mod refusal;
mod responding;
mod sending;
mod stream;

use std::time::{Duration, Instant};

use bytes::Bytes;

use self::stream::{Flowing, StreamState};
use super::counter::{Counter, Seconds};
use super::flow::Flow;
use super::inbound::Inbound;
use super::liveness::Liveness;
use super::receipts::Receipts;
use super::table::StreamTable;
use super::{ConnectionError, StreamMessage};
use crate::frame::{
    Acknowledgement, Authenticate, Compression, Frame, FrameKind, GoAway, Greeting, Metadata, Status,
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
///      │                     │ park, or the next message           ▲
///      │ a request           ▼        respond / end / finished     │
///      │ in parts         running ─────────────────────────────────┤
///      ▼                  ▲  │ │                                   │
///   assembling ───────────┘  │ │ respond / end, behind what waits  │ it has left
///              it is whole   │ └────────────────────────▶ leaving ─┤
///                            │ reset by the client, or end_running │
///                            ▼        finished, or respond / end,  │
///                          silent ─── which then send nothing ─────┘
/// ```
///
/// A stream in any of these states takes one of [`Limits::max_streams`]: a client that resets its calls frees
/// nothing before their handlers have really ended.
///
/// After an error the connection is to be closed with its [`close_code`](ConnectionError::close_code), and nothing
/// more is to be fed to it.
#[derive(Debug)]
pub struct ServerConnection {
    limits: Limits,
    peer: PeerLimits,
    /// Bodies up to this length leave in one frame.
    whole_body: usize,
    flow: Flow,
    /// The highest id that a stream was opened with. Every id up to it was used or skipped.
    last_stream_id: u64,
    /// The request that the last message brought and that is neither answered nor parked.
    in_hand: Option<InHand>,
    /// Streams that are running or silent. Never holds the one in hand.
    streams: StreamTable<StreamState>,
    draining: bool,
    greeted: bool,
    /// The client has to prove who it is before anything is kept for it.
    awaits_authentication: bool,
    /// Where streams go on over a resume.
    receipts: Option<Box<Receipts>>,
    seconds: Seconds,
    liveness: Liveness,
    opens: Counter,
    resets: Counter,
    refused: Counter,
    /// How many calls were refused in all: by limits, and because of a drain.
    refusals: (u64, u64),
    faults: Counter,
}

#[derive(Clone, Copy, Debug)]
struct InHand {
    stream_id: u64,
    one_way: bool,
    /// The client's stream follows.
    open: bool,
}

/// What a message brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// Nothing for the application.
    None,
    /// A call, which is now in hand.
    Request(IncomingRequest),
    /// A message of a client's stream. Say [`ServerConnection::consumed`] once the application has taken it.
    Message {
        /// The call.
        stream_id: u64,
        /// Whole, whatever frames it came in.
        message: StreamMessage,
    },
    /// The client sends nothing more on its stream; the call goes on.
    HalfClosed {
        /// The call.
        stream_id: u64,
    },
    /// A running call is over without an answer of its handler: drop it, then say [`ServerConnection::finished`]. The client
    /// gave it up, or sent for it what is not taken and was told so.
    Cancelled {
        /// The call.
        stream_id: u64,
        /// Why: as the client says, mostly [`Code::Cancelled`]; or what the client was told.
        code: Code,
    },
    /// The client introduced itself; its limits are in force.
    Greeting(Box<Greeting>),
    /// The client is about to leave.
    GoAway(GoAway),
    /// The client says what it has received: for [`Replay::acknowledge`](crate::Replay::acknowledge).
    Acknowledged(Acknowledgement),
    /// The client proves who it is, or signs out: the purpose is one of
    /// [`AuthenticationPurpose`](crate::frame::AuthenticationPurpose), the metadata is within the limits. Answer it with
    /// [`ServerConnection::identity`]; how many are under way at a time is for the runtime to bound.
    Authenticate(Box<Authenticate>),
    /// An authentication that is not to be looked at, because of its form. Answer it with [`ServerConnection::identity`] at
    /// once: this status, and who the client is all the same.
    AuthenticateRefused {
        /// Of the frame that is refused.
        request_id: u64,
        /// Why.
        status: Status,
    },
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
    /// Whether the client's stream follows, as [`ServerEvent::Message`]s up to [`ServerEvent::HalfClosed`]. The body is then
    /// empty.
    pub open: bool,
    /// How the body is compressed: not at all, or in a way of [`Limits::compressions`].
    pub compression: Compression,
    /// The encoded request message: a part of the received buffer, where it came in one frame.
    pub body: Bytes,
}

impl ServerConnection {
    /// A connection on which nothing has been sent yet. `now` is when it began.
    #[must_use]
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            peer: PeerLimits::default(),
            whole_body: PeerLimits::default().whole_body(),
            flow: Flow::new(&limits),
            last_stream_id: 0,
            in_hand: None,
            streams: StreamTable::default(),
            draining: false,
            greeted: false,
            awaits_authentication: false,
            receipts: None,
            seconds: Seconds::new(now),
            liveness: Liveness::new(now),
            opens: Counter::default(),
            resets: Counter::default(),
            refused: Counter::default(),
            refusals: (0, 0),
            faults: Counter::default(),
            limits,
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
        let len = message.len();
        frame.read(message)?;
        if let Some(receipts) = &mut self.receipts {
            receipts.on_frame(&frame.kind, len, now, out);
        }
        match &mut frame.kind {
            FrameKind::Request(request) => {
                self.liveness.on_use(now);
                self.on_request(frame.stream_id, request, now, out)
            }
            FrameKind::Data(data) if frame.stream_id != 0 => {
                self.liveness.on_use(now);
                self.on_data(frame.stream_id, data, now, out)
            }
            _ => self.on_other(frame.stream_id, frame.kind, now, out),
        }
    }

    fn on_other(
        &mut self,
        stream_id: u64,
        kind: FrameKind,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ServerEvent, ConnectionError> {
        let unexpected = ConnectionError::UnexpectedFrame {
            stream_id,
            kind: kind.name(),
        };
        if !matches!(kind, FrameKind::Ping(_) | FrameKind::Pong(_)) {
            self.liveness.on_use(now);
        }
        match kind {
            FrameKind::Reset(reset) if stream_id != 0 => self.on_reset(stream_id, &reset, now),
            FrameKind::End(_) if stream_id != 0 => self.on_end(stream_id),
            FrameKind::Credit(credit) => {
                self.on_credit(stream_id, credit)?;
                Ok(ServerEvent::None)
            }
            FrameKind::Unknown if stream_id == 0 => Ok(ServerEvent::None),
            FrameKind::Unknown => self.on_unknown(stream_id, now, out),
            FrameKind::Ping(ping) if stream_id == 0 => {
                self.liveness
                    .on_ping(&ping, self.seconds.at(now), &self.limits, out)?;
                Ok(ServerEvent::None)
            }
            FrameKind::Pong(pong) if stream_id == 0 => {
                self.liveness.on_pong(&pong, now);
                Ok(ServerEvent::None)
            }
            FrameKind::Acknowledgement(acknowledgement) if stream_id == 0 => {
                Ok(ServerEvent::Acknowledged(acknowledgement))
            }
            // Both sides count frames of calls from the first of them, or neither does.
            FrameKind::Greeting(greeting)
                if stream_id == 0
                    && !self.greeted
                    && (greeting.replay_bytes == 0 || self.last_stream_id == 0) =>
            {
                self.greeted = true;
                self.on_greeting(&greeting);
                Ok(ServerEvent::Greeting(greeting))
            }
            FrameKind::GoAway(go_away) if stream_id == 0 => Ok(ServerEvent::GoAway(go_away)),
            FrameKind::Authenticate(authenticate) if stream_id == 0 => {
                self.on_authenticate(authenticate, now)
            }
            _ => Err(unexpected),
        }
    }

    fn on_greeting(&mut self, greeting: &Greeting) {
        self.peer = PeerLimits::of(greeting);
        self.whole_body = self.peer.whole_body();
        let grown = self.flow.on_announced(&self.peer);
        if grown > 0 {
            for (stream_id, state) in self.streams.iter_mut() {
                if let StreamState::Flowing(flowing) = state {
                    self.flow
                        .on_stream_credit(stream_id, &mut flowing.outbound, grown);
                }
            }
        }
    }

    #[inline]
    fn park_in_hand(&mut self) {
        if let Some(in_hand) = self.in_hand.take() {
            self.park_now(in_hand);
        }
    }

    fn park_now(&mut self, in_hand: InHand) {
        let InHand {
            stream_id, one_way, ..
        } = in_hand;
        let state = if in_hand.open {
            let inbound = Inbound::receiving(&self.flow);
            StreamState::Flowing(Flowing::running(one_way, inbound, &self.flow))
        } else {
            StreamState::Running { one_way }
        };
        self.streams.insert(stream_id, state);
    }
}
