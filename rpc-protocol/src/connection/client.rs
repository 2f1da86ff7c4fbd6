//! The client's end of a connection.

use std::time::Instant;

use bytes::Bytes;

use super::counter::Seconds;
use super::liveness::Liveness;
use super::table::StreamTable;
use super::{ConnectionError, OpenError, TooLarge};
use crate::frame::{
    Compression, End, Event, Frame, FrameKind, GoAway, Greeting, Identity, Request, Reset, Response, Status,
};
use crate::limits::PeerLimits;
use crate::{Body, Code, Limits, Output};

/// The client's end of a connection: opens calls, and gives their outcomes as events.
///
/// ```text
///              open_unary              response, or end
///   (closed) ────────────▶ waiting ──────────────────────▶ (closed)
///                             │ cancel: a reset is sent
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
    /// The highest id that a stream was opened with.
    last_stream_id: u64,
    /// Calls that wait for their outcome.
    waiting: StreamTable<()>,
    going_away: bool,
    greeted: bool,
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
        /// Its outcome; the body is a part of the received buffer.
        response: Response,
    },
    /// A call ended without a response. The status is there, and is not OK.
    End {
        /// The call.
        stream_id: u64,
        /// Its outcome.
        end: End,
    },
    /// The server introduced itself; its limits are in force.
    Greeting(Box<Greeting>),
    /// The server drains: no new calls; those above its last stream id will not run.
    GoAway(GoAway),
    /// Who this client is from now on.
    Identity(Box<Identity>),
    /// Something was published.
    Published(Box<Event>),
}

impl ClientConnection {
    /// A connection on which nothing has been sent yet. `now` is when it began.
    #[must_use]
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            peer: PeerLimits::default(),
            last_stream_id: 0,
            waiting: StreamTable::default(),
            going_away: false,
            greeted: false,
            seconds: Seconds::new(now),
            liveness: Liveness::new(now),
        }
    }

    /// Introduces this client: tells the server its limits, where the caller left them empty. To be sent before any
    /// response over the default limits is expected.
    pub fn greet(&mut self, mut greeting: Greeting, out: &mut impl Output) {
        greeting.limits.get_or_insert_with(|| self.limits.announced());
        greeting.encode(0, out);
    }

    /// Opens a unary or one-way call: `request` without its body, which is given apart. Gives the stream id by which
    /// the outcome comes; for a one-way call none will.
    ///
    /// # Errors
    ///
    /// The call was not opened, and nothing was sent.
    #[inline]
    pub fn open_unary(
        &mut self,
        request: &Request,
        body: &(impl Body + ?Sized),
        out: &mut impl Output,
    ) -> Result<u64, OpenError> {
        debug_assert!(!request.open && !request.more, "a unary request is one frame");
        if self.going_away {
            return Err(OpenError::GoingAway);
        }
        let limit = self.peer.max_streams;
        if self.waiting.len() >= limit {
            return Err(OpenError::NoStreamFree { limit });
        }
        let stream_id = self.last_stream_id + 1;
        let len = request.frame_len(stream_id, body.encoded_len());
        let limit = self.peer.max_message_bytes;
        if len.total > limit {
            return Err(TooLarge {
                len: len.total,
                limit,
            }
            .into());
        }
        self.last_stream_id = stream_id;
        if !request.one_way {
            self.waiting.insert(stream_id, ());
        }
        request.encode_measured(stream_id, body, len, out);
        Ok(stream_id)
    }

    /// Gives a call up: nothing more comes for it. Sends nothing where it has ended already. The call may have run.
    pub fn cancel(&mut self, stream_id: u64, out: &mut impl Output) {
        if self.waiting.remove(stream_id).is_some() {
            Reset {
                code: Code::Cancelled.as_i32(),
            }
            .encode(stream_id, out);
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
        frame.read(message)?;
        let Frame { stream_id, kind } = frame;
        if stream_id == 0 {
            return self.on_connection_frame(kind, now, out);
        }
        if stream_id > self.last_stream_id {
            return Err(ConnectionError::StreamNotOpened {
                stream_id,
                kind: kind.name(),
            });
        }
        self.on_stream_frame(stream_id, kind, out)
    }

    #[inline]
    fn on_stream_frame(
        &mut self,
        stream_id: u64,
        kind: FrameKind,
        out: &mut impl Output,
    ) -> Result<ClientEvent, ConnectionError> {
        match kind {
            FrameKind::Response(response) => {
                if self.waiting.remove(stream_id).is_none() {
                    return Ok(ClientEvent::None);
                }
                if response.open || response.more || response.compression != Compression::NONE {
                    return Ok(self.give_up(stream_id, response.open || response.more, out));
                }
                Ok(ClientEvent::Response { stream_id, response })
            }
            FrameKind::End(mut end) => {
                if self.waiting.remove(stream_id).is_none() {
                    return Ok(ClientEvent::None);
                }
                if end.status.as_ref().is_none_or(|status| status.code == 0) {
                    end.status = Some(Status::new(Code::Internal, "the call ended without a response"));
                }
                Ok(ClientEvent::End { stream_id, end })
            }
            FrameKind::Data(_) if self.waiting.contains(stream_id) => Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: "data",
            }),
            // Reset: the server reads no more of the stream, of which nothing is left to send.
            FrameKind::Data(_) | FrameKind::Reset(_) | FrameKind::Credit(_) | FrameKind::Unknown => {
                Ok(ClientEvent::None)
            }
            kind => Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: kind.name(),
            }),
        }
    }

    /// Ends a call whose response cannot be read, for this call only.
    #[cold]
    fn give_up(&mut self, stream_id: u64, goes_on: bool, out: &mut impl Output) -> ClientEvent {
        if goes_on {
            Reset {
                code: Code::Unimplemented.as_i32(),
            }
            .encode(stream_id, out);
        }
        let text =
            "the response is a stream, in several frames or compressed, which this client does not read";
        ClientEvent::End {
            stream_id,
            end: End::new(Code::Unimplemented, text),
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
                self.peer = greeting.limits.as_ref().map(PeerLimits::of).unwrap_or_default();
                Ok(ClientEvent::Greeting(greeting))
            }
            FrameKind::Ping(ping) => {
                self.liveness
                    .on_ping(&ping, self.seconds.at(now), &self.limits, out)?;
                Ok(ClientEvent::None)
            }
            FrameKind::GoAway(go_away) => {
                self.going_away = true;
                Ok(ClientEvent::GoAway(go_away))
            }
            FrameKind::Identity(identity) => Ok(ClientEvent::Identity(identity)),
            FrameKind::Event(event) => Ok(ClientEvent::Published(event)),
            FrameKind::Pong(_)
            | FrameKind::Acknowledgement(_)
            | FrameKind::Credit(_)
            | FrameKind::Unknown => Ok(ClientEvent::None),
            kind => Err(ConnectionError::UnexpectedFrame {
                stream_id: 0,
                kind: kind.name(),
            }),
        }
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
        self.liveness.deadline(&self.limits)
    }

    /// Does what is due: pings a silent server. Does nothing when called too early.
    ///
    /// # Errors
    ///
    /// The server did not answer: the connection is to be closed.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut impl Output) -> Result<(), ConnectionError> {
        self.liveness
            .on_timeout(now, self.seconds.at(now), &self.limits, out)
    }

    /// Calls that wait for their outcome, by stream id in the order of opening: what fails when the connection is
    /// lost.
    pub fn waiting(&self) -> impl Iterator<Item = u64> + '_ {
        self.waiting.ids()
    }

    /// How many calls wait for their outcome.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.waiting.len()
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
