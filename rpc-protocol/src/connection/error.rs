//! What goes wrong on a connection, split by what it kills: the connection, or one call.

use crate::{CloseCode, FrameError};

/// The connection must be closed, with the code of [`close_code`](Self::close_code). The peer's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// A message is not a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A stream was opened with an id that is not above all before it, or with 0.
    #[error("stream id {stream_id} is not above {last}")]
    StreamIdNotIncreasing {
        /// The id that came.
        stream_id: u64,
        /// The highest before it.
        last: u64,
    },
    /// A frame for a stream that was never opened.
    #[error("{kind} frame for stream {stream_id}, which is not open")]
    StreamNotOpened {
        /// The id that came.
        stream_id: u64,
        /// The frame's kind.
        kind: &'static str,
    },
    /// A kind of frame that this side does not take, or not where it came.
    #[error("unexpected {kind} frame on stream {stream_id}")]
    UnexpectedFrame {
        /// The stream it came on.
        stream_id: u64,
        /// The frame's kind.
        kind: &'static str,
    },
    /// A body was sent although the window was shut.
    #[error("the window of stream {stream_id} was violated")]
    WindowViolated {
        /// The stream, or 0 for the connection's window.
        stream_id: u64,
    },
    /// An open request or response with a body, or a one-way call that is open: no peer means that.
    #[error("malformed {kind} frame on stream {stream_id}")]
    MalformedFrame {
        /// The stream it came on.
        stream_id: u64,
        /// The frame's kind.
        kind: &'static str,
    },
    /// More frames are acknowledged than were sent.
    #[error("{acknowledged} frames are acknowledged, and {sent} were sent")]
    NeverSent {
        /// What the peer says that it has received.
        acknowledged: u64,
        /// The sequenced frames that were sent.
        sent: u64,
    },
    /// More pings in ten seconds than allowed.
    #[error("too many pings")]
    TooManyPings,
    /// More streams over the limit in ten seconds than allowed.
    #[error("too many streams over the limit")]
    TooManyRefusedStreams,
    /// More resets in ten seconds than allowed, and more than half of the opens.
    #[error("too many resets")]
    TooManyResets,
    /// More faults in ten seconds than allowed.
    #[error("too many faulty calls")]
    TooManyFaults,
    /// The peer did not answer a ping in time.
    #[error("the peer does not answer")]
    PeerSilent,
    /// The connection was of no use for longer than [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    #[error("the connection was idle")]
    Idle,
}

impl ConnectionError {
    /// The code to close with. [`Display`](std::fmt::Display) gives the reason, always under the 123 bytes that a
    /// close frame holds.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Frame(_) => CloseCode::FrameInvalid,
            Self::StreamIdNotIncreasing { .. }
            | Self::StreamNotOpened { .. }
            | Self::WindowViolated { .. }
            | Self::MalformedFrame { .. }
            | Self::NeverSent { .. }
            | Self::UnexpectedFrame { .. } => CloseCode::ProtocolViolated,
            Self::TooManyPings | Self::TooManyRefusedStreams | Self::TooManyResets | Self::TooManyFaults => {
                CloseCode::TooMuch
            }
            Self::PeerSilent => CloseCode::TooSlow,
            Self::Idle => CloseCode::GoingAway,
        }
    }
}

/// A message was not sent, because it is over a limit: the peer's, or [`Limits::max_queued_bytes`].
///
/// [`Limits::max_queued_bytes`]: crate::Limits::max_queued_bytes
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {len} bytes is over the peer's limit of {limit}")]
pub struct TooLarge {
    /// The length of what was not sent, in bytes.
    pub len: usize,
    /// The limit, in bytes.
    pub limit: usize,
}

/// A message of a stream was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The stream takes no more: it is closed, half-closed, or the peer reads no more of it.
    #[error("the stream takes no more messages")]
    Closed,
    /// The message before waits still: wait until `poll_writable` gives the stream.
    #[error("the message before waits still")]
    Busy,
    /// The message is over a limit. The stream goes on without it.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// A call was not opened; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// As many streams are open as the server allows: wait until one ends.
    #[error("all {limit} streams are in use")]
    NoStreamFree {
        /// How many the server allows.
        limit: usize,
    },
    /// The connection's window is shut: wait until the server has sent credit, which `can_open` tells.
    #[error("the connection's window is shut")]
    WindowShut,
    /// The server has said that it goes away: use another connection. The call has not run.
    #[error("the server is going away")]
    GoingAway,
    /// The request is longer than the server accepts.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}
