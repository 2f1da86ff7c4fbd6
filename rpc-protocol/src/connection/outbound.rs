//! What this side sends on one stream: its window, the message that waits, and what comes after it.
//!
//! Shared by both ends. Knows neither calls nor events.

use bytes::{Buf, Bytes};

use super::error::TooLarge;
use super::window::{DATA_FRAME_COST, SendWindow};
use crate::frame::{Compression, Data, End, Response};
use crate::limits::PeerLimits;
use crate::{Body, Output};

/// Whether a message has left for the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It is written to the output.
    Written,
    /// It waits inside, for a window or because it is long; `transmit` writes it. Until then the stream takes no other.
    Queued,
}

/// The sending side of a stream: at most one message waits, and one ending behind it.
///
/// ```text
///   (open) ──▶ Open ── finish, or the final response ──▶ Finishing ── the queue is empty ──▶ Shut
///                │                                          │                                 ▲
///                └──────────────── clear ───────────────────┴─────────────────────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Outbound {
    pub(crate) window: SendWindow,
    state: State,
    queued: Option<Queued>,
    /// It stands in the line of those that send.
    pub(crate) is_ready: bool,
    /// It stands in the line of those that became writable.
    pub(crate) is_reported: bool,
}

#[derive(Debug)]
enum State {
    /// The application may send.
    Open,
    /// This follows what is queued.
    Finishing(Ending),
    /// Nothing more is sent.
    Shut,
}

/// What follows the last message.
#[derive(Debug)]
pub(crate) enum Ending {
    /// An end that closes one direction.
    HalfClose,
    /// Nothing: the last message's frame closes the stream, or only this direction of it.
    LastMessage {
        /// Whether the stream is then closed.
        closes: bool,
    },
    /// The call's end.
    End(Box<End>),
}

#[derive(Debug)]
struct Queued {
    next: Next,
    /// What is left of the message.
    body: Bytes,
}

/// The frame that comes next.
#[derive(Debug)]
enum Next {
    Response(Box<Response>),
    Data(Compression),
    /// A further part.
    Part,
}

/// What was written.
pub(crate) struct Written {
    /// Bytes of the body.
    pub(crate) body: usize,
    /// What it counts for on the connection's window.
    pub(crate) cost: usize,
    /// Bytes of the frames, about.
    pub(crate) written: usize,
    pub(crate) left: Left,
}

/// Whether a stream goes on.
pub(crate) enum Left {
    Open,
    Closed,
}

impl Outbound {
    /// A stream on which the application sends.
    pub(crate) fn open(window: usize) -> Self {
        Self::new(State::Open, window)
    }

    /// A stream on which nothing is sent, or what is queued at once.
    pub(crate) fn shut(window: usize) -> Self {
        Self::new(State::Shut, window)
    }

    fn new(state: State, window: usize) -> Self {
        Self {
            window: SendWindow::new(window),
            state,
            queued: None,
            is_ready: false,
            is_reported: false,
        }
    }

    /// Whether the application may still send, now or later.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    pub(crate) fn has_queued(&self) -> bool {
        self.queued.is_some()
    }

    /// Whether the application may send now, as far as this stream is concerned.
    #[inline]
    pub(crate) fn may_send(&self) -> bool {
        self.is_open() && self.queued.is_none() && self.window.is_open()
    }

    /// A message waits. Nothing is queued yet.
    pub(crate) fn queue_message(&mut self, compression: Compression, body: Bytes) {
        self.queue(Next::Data(compression), body);
    }

    /// The final response waits; it closes the stream.
    pub(crate) fn queue_response(&mut self, response: &Response, body: Bytes) {
        self.queue(Next::Response(Box::new(response.clone())), body);
        self.state = State::Finishing(Ending::LastMessage { closes: true });
    }

    /// What is left of a request's body waits; a one-way call is over with it.
    pub(crate) fn queue_rest(&mut self, body: Bytes, closes: bool) {
        self.queue(Next::Part, body);
        self.state = State::Finishing(Ending::LastMessage { closes });
    }

    fn queue(&mut self, next: Next, body: Bytes) {
        debug_assert!(self.queued.is_none(), "one message waits at a time");
        self.queued = Some(Queued { next, body });
    }

    /// Ends this direction behind what is queued. Gives the ending back where nothing is: it goes out at once.
    pub(crate) fn finish(&mut self, ending: Ending) -> Option<Ending> {
        if self.queued.is_some() {
            self.state = State::Finishing(ending);
            return None;
        }
        self.state = State::Shut;
        Some(ending)
    }

    /// Drops what is queued; gives the bytes of it. Nothing more is sent.
    pub(crate) fn clear(&mut self) -> usize {
        self.state = State::Shut;
        self.queued.take().map_or(0, |queued| queued.body.len())
    }

    /// Writes the next frame, and what follows the last one.
    pub(crate) fn write(&mut self, stream_id: u64, peer: &PeerLimits, out: &mut impl Output) -> Written {
        let mut done = Written {
            body: 0,
            cost: 0,
            written: 0,
            left: Left::Open,
        };
        let Some(queued) = &mut self.queued else {
            return done;
        };
        let next = std::mem::replace(&mut queued.next, Next::Part);
        let fields = match &next {
            Next::Response(response) => response.frame_len(stream_id, 0).total,
            Next::Data(_) | Next::Part => 0,
        };
        let len = queued.body.len().min(peer.part_beside(fields));
        let part = queued.body.split_to(len);
        let more = queued.body.has_remaining();
        done.body = len;
        done.written = len + fields + DATA_FRAME_COST;
        match next {
            Next::Response(mut response) => {
                response.more = more;
                response.encode(stream_id, &part, out);
                done.cost = len;
            }
            next => {
                let compression = match next {
                    Next::Data(compression) => compression,
                    _ => Compression::NONE,
                };
                let data = Data {
                    more,
                    compression,
                    ..Data::default()
                };
                data.encode(stream_id, &part, out);
                done.cost = len + DATA_FRAME_COST;
                self.window.take(done.cost);
            }
        }
        if more {
            return done;
        }
        self.queued = None;
        match std::mem::replace(&mut self.state, State::Shut) {
            State::Open => self.state = State::Open,
            State::Shut => {}
            State::Finishing(Ending::HalfClose) => End::default().encode(stream_id, out),
            State::Finishing(Ending::LastMessage { closes: false }) => {}
            State::Finishing(Ending::LastMessage { closes: true }) => done.left = Left::Closed,
            State::Finishing(Ending::End(end)) => {
                end.encode(stream_id, out);
                done.left = Left::Closed;
            }
        }
        done
    }
}

/// The bytes of a body that has to wait.
pub(crate) fn encoded(body: &(impl Body + ?Sized)) -> Bytes {
    let mut bytes = Vec::with_capacity(body.encoded_len());
    body.encode(&mut bytes);
    bytes.into()
}

/// Whether the peer takes a body of so many bytes at all, beside so many of other fields.
pub(crate) fn check_fits(len: usize, fields: usize, peer: &PeerLimits) -> Result<(), TooLarge> {
    if len > peer.max_body_bytes {
        return Err(TooLarge {
            len,
            limit: peer.max_body_bytes,
        });
    }
    if !peer.fits_in_parts(len, fields) {
        return Err(TooLarge {
            len: len.saturating_add(fields),
            limit: peer.max_message_bytes,
        });
    }
    Ok(())
}
