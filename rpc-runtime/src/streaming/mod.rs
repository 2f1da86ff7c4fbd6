//! The two ends of a typed stream: what a streaming method reads, and what a session method writes.
//!
//! Owns what stands between a program and the task of its connection: the [`Inbox`] in which messages wait to be read,
//! the [`Decoder`] that makes typed messages of them where they are read, and the [`Sink`] behind an [`Outgoing`]. Knows
//! no frames and no windows: it tells the connection what was consumed, and is told when there is room.

mod decoder;
mod inbox;
mod incoming;
mod outgoing;

pub use incoming::Streaming;
pub use outgoing::Outgoing;

pub(crate) use decoder::{Decoder, Unreadable, read_request};
pub(crate) use inbox::{Ending, Feedback, Inbox};
pub(crate) use outgoing::{MessageBody, Sink, Unsent};
