//! The client's end of a connection: its state, and what messages do to it.
//!
//! What frames of streams do is in `receiving`, what is sent for calls in `sending`, who the client is in `identity`, how it comes
//! back to its session in `resuming`, what it holds of a call in `stream`.

mod identity;
mod receiving;
mod resuming;
mod sending;
mod stream;

use std::time::{Duration, Instant};

use bytes::Bytes;

use self::stream::CallState;
use super::counter::Seconds;
use super::flow::Flow;
use super::liveness::Liveness;
use super::receipts::Receipts;
use super::table::StreamTable;
use super::{ConnectionError, StreamMessage};
use crate::frame::{Acknowledgement, End, Event, Frame, FrameKind, GoAway, Greeting, Identity, Response};
use crate::limits::PeerLimits;
use crate::{Limits, Output};

/// The client's end of a connection: opens calls, and gives their outcomes as events.
///
/// ```text
///              open                    response, or end
///   (closed) ────────────▶ waiting ──────────────────────▶ (closed)
///                             │ an open response               ▲
///                             ▼            end                 │
///                          opened ─────────────────────────────┘
///                             │ cancel in any state: a reset is sent
///                             ▼
///                          (closed): what still comes for it is ignored
/// ```
///
/// A one-way call is closed as soon as it is sent. After an error the connection is to be closed, and nothing more is
/// to be fed to it.
#[derive(Debug)]
pub struct ClientConnection {
    limits: Limits,
    peer: PeerLimits,
    /// The longest message that the server accepts of a client that it knows.
    full_message_bytes: usize,
    /// The server has to know who this client is, and has known nobody on this connection.
    is_unknown: bool,
    /// Bodies up to this length leave in one frame.
    whole_body: usize,
    flow: Flow,
    /// The highest id that a stream was opened with.
    last_stream_id: u64,
    /// Calls that wait for their outcome, and one-way calls that have not left.
    calls: StreamTable<CallState>,
    going_away: bool,
    greeted: bool,
    /// The request id of the last authentication; 0 before the first.
    last_authentication: u64,
    /// The highest of those that was answered, or has ended with its connection.
    answered_authentication: u64,
    /// Where the server keeps its session for it.
    receipts: Option<Box<Receipts>>,
    /// With what it came back: the frames that it had received of the session.
    came_back_with: u64,
    /// It has said that it keeps frames of calls, so that they go on over a resume.
    keeps_calls: bool,
    seconds: Seconds,
    liveness: Liveness,
}

/// What a message brought.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientEvent {
    /// Nothing for the application.
    None,
    /// A call went well.
    Response {
        /// The call.
        stream_id: u64,
        /// Its outcome; the body is a part of the received buffer, where it came in one frame.
        response: Response,
    },
    /// The response of a call is a stream, which begins.
    Opened {
        /// The call.
        stream_id: u64,
        /// The initial metadata; without a body.
        response: Response,
    },
    /// A message of a response that is a stream. Say [`ClientConnection::consumed`] once the application has taken it.
    Message {
        /// The call.
        stream_id: u64,
        /// Whole, whatever frames it came in.
        message: StreamMessage,
    },
    /// The server reads no more of what this client sends for a call: what was queued is dropped, and nothing more is
    /// taken. The call goes on.
    StopSending {
        /// The call.
        stream_id: u64,
    },
    /// A call ended: one whose response is a stream with any status, where an absent one is OK; any other without a
    /// response and with a status that is not OK.
    End {
        /// The call.
        stream_id: u64,
        /// Its outcome.
        end: End,
    },
    /// The server introduced itself; its limits are in force.
    Greeting(Box<Greeting>),
    /// The server drains: no new calls.
    GoAway {
        /// What the server says.
        go_away: GoAway,
        /// Calls that the server has not run and will not run, in the order of opening: nothing more comes for them.
        not_run: Vec<u64>,
    },
    /// Who this client is from now on, or why its authentication was refused: with the request id that
    /// [`ClientConnection::authenticate`] gave, or with 0 where the server speaks on its own.
    Identity(Box<Identity>),
    /// Something was published.
    Published(Box<Event>),
    /// The server says what it has received: for [`Replay::acknowledge`](crate::Replay::acknowledge).
    Acknowledged(Acknowledgement),
}

impl ClientConnection {
    /// A connection on which nothing has been sent yet. `now` is when it began.
    #[must_use]
    pub fn new(mut limits: Limits, now: Instant) -> Self {
        // Whether an idle connection is kept is for the server to say.
        limits.idle_timeout = None;
        Self {
            peer: PeerLimits::default(),
            full_message_bytes: PeerLimits::default().max_message_bytes,
            is_unknown: false,
            whole_body: PeerLimits::default().whole_body(),
            flow: Flow::new(&limits),
            limits,
            last_stream_id: 0,
            calls: StreamTable::default(),
            going_away: false,
            greeted: false,
            last_authentication: 0,
            answered_authentication: 0,
            receipts: None,
            came_back_with: 0,
            keeps_calls: false,
            seconds: Seconds::new(now),
            liveness: Liveness::new(now),
        }
    }

    /// Introduces this client: tells the server its limits and compressions, where the caller left them empty. To be sent
    /// at most once, and before any response over the default limits is expected; before the first call where it has
    /// `replay_bytes`. Windows grow to what it announces.
    pub fn greet(&mut self, mut greeting: Greeting, out: &mut impl Output) {
        greeting.limits.get_or_insert_with(|| self.limits.announced());
        if greeting.compressions.is_empty() {
            greeting.compressions.extend_from_slice(self.limits.compressions);
        }
        let grown = self.flow.announce(&PeerLimits::of(&greeting));
        if grown > 0 {
            for (_, call) in self.calls.iter_mut() {
                if let CallState::Flowing(flowing) = call {
                    flowing.inbound.grow(grown);
                }
            }
        }
        self.came_back_with = greeting.received_frames;
        self.keeps_calls = greeting.replay_bytes > 0;
        greeting.encode(0, out);
    }

    /// The application has taken messages of a call that count for so many bytes together, by their
    /// [`cost`](StreamMessage::cost): the server may send as much again. What was given and is not yet consumed stops a
    /// server at its windows, so that everything that was taken or dropped is to be told. Ignored for a call that is over.
    pub fn consumed(&mut self, stream_id: u64, cost: usize, out: &mut impl Output) {
        if let Some(CallState::Flowing(flowing)) = self.calls.get_mut(stream_id) {
            flowing.inbound.consumed(stream_id, cost, &mut self.flow, out);
        }
    }

    /// Takes one binary WebSocket message.
    ///
    /// # Errors
    ///
    /// The connection is to be closed; nothing of this message counts.
    #[inline]
    pub fn handle_message(
        &mut self,
        message: Bytes,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        self.liveness.on_message(now);
        let mut frame = Frame::default();
        let len = message.len();
        frame.read(message)?;
        if let Some(receipts) = &mut self.receipts {
            receipts.on_frame(&frame.kind, len, now, out);
        }
        let stream_id = frame.stream_id;
        if stream_id == 0 {
            return self.on_connection_frame(frame.kind, now, out);
        }
        if stream_id > self.last_stream_id {
            return Err(ConnectionError::StreamNotOpened {
                stream_id,
                kind: frame.kind.name(),
            });
        }
        match &mut frame.kind {
            FrameKind::Data(data) => self.on_data(stream_id, data, out),
            FrameKind::Response(response) => self.on_response(stream_id, response, out),
            _ => self.on_stream_frame(stream_id, frame.kind, out),
        }
    }

    fn on_connection_frame(
        &mut self,
        kind: FrameKind,
        now: Instant,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        match kind {
            FrameKind::Greeting(greeting) if !self.greeted => {
                self.greeted = true;
                self.on_greeting(&greeting);
                Ok(ClientEvent::Greeting(greeting))
            }
            FrameKind::Ping(ping) => {
                self.liveness
                    .on_ping(&ping, self.seconds.at(now), &self.limits, out)?;
                Ok(ClientEvent::None)
            }
            FrameKind::GoAway(go_away) => {
                let not_run = self.on_go_away(go_away.last_stream_id);
                Ok(ClientEvent::GoAway { go_away, not_run })
            }
            FrameKind::Identity(identity) => self.on_identity(identity),
            FrameKind::Event(event) => Ok(ClientEvent::Published(event)),
            FrameKind::Credit(credit) => {
                self.flow.on_credit(credit.bytes);
                Ok(ClientEvent::None)
            }
            FrameKind::Pong(pong) => {
                self.liveness.on_pong(&pong, now);
                Ok(ClientEvent::None)
            }
            FrameKind::Acknowledgement(acknowledgement) => Ok(ClientEvent::Acknowledged(acknowledgement)),
            FrameKind::Unknown => Ok(ClientEvent::None),
            kind => Err(ConnectionError::UnexpectedFrame {
                stream_id: 0,
                kind: kind.name(),
            }),
        }
    }

    fn on_greeting(&mut self, greeting: &Greeting) {
        self.count_from(greeting);
        self.peer = PeerLimits::of(greeting);
        self.full_message_bytes = self.peer.max_message_bytes;
        self.is_unknown = greeting.authentication_required && greeting.user_id.is_empty();
        self.settle_length();
        let grown = self.flow.on_announced(&self.peer);
        if grown > 0 {
            for (stream_id, call) in self.calls.iter_mut() {
                if let CallState::Flowing(flowing) = call {
                    self.flow
                        .on_stream_credit(stream_id, &mut flowing.outbound, grown);
                }
            }
        }
    }

    /// The server drains. Gives the calls that it will not run, which are over.
    fn on_go_away(&mut self, last_stream_id: u64) -> Vec<u64> {
        self.going_away = true;
        // A call of which something came has run, whatever the server says.
        let not_run: Vec<u64> = self
            .calls
            .iter_mut()
            .filter(|(stream_id, call)| *stream_id > last_stream_id && call.is_untouched())
            .map(|(stream_id, _)| stream_id)
            .collect();
        for stream_id in &not_run {
            self.remove(*stream_id);
        }
        not_run
    }

    /// Everything that was written to the output so far has left: pings are answered again.
    pub fn handle_flushed(&mut self) {
        self.liveness.on_flushed();
    }

    /// Something arrived that is no message of ours, such as a WebSocket pong: the peer is there.
    pub fn handle_activity(&mut self, now: Instant) {
        self.liveness.on_message(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called. Messages only move it to later.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let receipts = self.receipts.as_ref().and_then(|receipts| receipts.deadline());
        match (self.liveness.deadline(&self.limits), receipts) {
            (Some(liveness), Some(receipts)) => Some(liveness.min(receipts)),
            (liveness, receipts) => liveness.or(receipts),
        }
    }

    /// Does what is due: pings a silent server. Does nothing when called too early.
    ///
    /// # Errors
    ///
    /// The server did not answer: the connection is to be closed.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl Output) -> Result<(), ConnectionError> {
        if let Some(receipts) = &mut self.receipts {
            receipts.on_timeout(now, out);
        }
        let busy = self.open_streams() > 0;
        self.liveness.on_timeout(now, busy, &self.limits, out)
    }

    /// Asks the server for a pong, so that [`round_trip_time`](Self::round_trip_time) is of now. Says whether a ping was
    /// written: none is while the answer to one is awaited, nor within two seconds of the last, because a peer counts pings.
    pub fn ping(&mut self, now: Instant, out: &mut impl Output) -> bool {
        self.liveness.ping(now, &self.limits, out)
    }

    /// How long the last ping that was answered took for the way there and back, and in the peer: on demand, or to keep the
    /// connection alive. `None` before the first was.
    #[must_use]
    pub fn round_trip_time(&self) -> Option<Duration> {
        self.liveness.round_trip_time()
    }

    /// Calls that wait for their outcome, by stream id in the order of opening: what fails when the connection is
    /// lost.
    pub fn waiting(&self) -> impl Iterator<Item = u64> + '_ {
        self.calls.ids()
    }

    /// How many calls wait for their outcome.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.calls.len()
    }

    /// What the server accepts.
    #[must_use]
    pub fn peer_limits(&self) -> PeerLimits {
        self.peer
    }

    /// Whether the server has said that it goes away.
    #[must_use]
    pub fn is_going_away(&self) -> bool {
        self.going_away
    }
}
