//! What a peer sends on one stream: its window, the message in the making, and what the application has not consumed.
//!
//! Shared by both ends. Knows neither calls nor events.

use bytes::Bytes;

use super::ConnectionError;
use super::flow::Flow;
use super::window::{DATA_FRAME_COST, ReceiveWindow, Violated};
use crate::frame::{Compression, Credit, Data};
use crate::{Limits, Output};

/// A whole message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamMessage {
    /// The encoded message, as it was on the wire: a part of the received buffer, where it came in one frame.
    pub body: Bytes,
    /// How it is compressed: not at all, or in a way that was announced in [`Limits::compressions`].
    pub compression: Compression,
}

impl StreamMessage {
    /// What the message counts for on the windows until it is consumed, in bytes: its body and [`DATA_FRAME_COST`].
    #[must_use]
    pub fn cost(&self) -> usize {
        self.body.len() + DATA_FRAME_COST
    }
}

/// The receiving side of a stream.
///
/// ```text
///               a data frame with `more` unset: a message
///               ┌─────┐
///               │     ▼        end
///   (open) ──▶ Receiving ───────────────▶ Ended: data is a violation
///                  │ ignore                 ▲
///                  ▼            end         │
///              Ignoring ────────────────────┘
/// ```
#[derive(Debug)]
pub(crate) struct Inbound {
    state: State,
    window: ReceiveWindow,
    /// The cost of whole messages that the application has and did not consume. What is in the making does not count:
    /// a message longer than the window could otherwise never become whole.
    unconsumed: usize,
    /// The parts that have come of a message that is not whole.
    partial: Option<Partial>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Receiving,
    Ignoring,
    Ended,
}

#[derive(Debug)]
struct Partial {
    body: Vec<u8>,
    compression: Compression,
}

/// What a data frame brought.
#[derive(Debug)]
pub(crate) enum Received {
    /// A part of a message, or something that nobody reads.
    Nothing,
    Message(StreamMessage),
    /// A message that this side does not take: the call is to be ended.
    Unwanted(Unwanted),
}

/// Why a body is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unwanted {
    /// Over [`Limits::max_body_bytes`].
    TooLong,
    /// Too much of all streams is in the making: half of [`Limits::max_pending_bytes`].
    TooMuchInTheMaking,
    /// The metadata is over its limits.
    Metadata,
    /// Compressed in a way that was not announced.
    Compression,
}

impl Inbound {
    /// A stream on which data is expected.
    pub(crate) fn receiving(flow: &Flow) -> Self {
        Self::new(State::Receiving, flow)
    }

    /// A stream on which nothing more is to come.
    pub(crate) fn ended(flow: &Flow) -> Self {
        Self::new(State::Ended, flow)
    }

    fn new(state: State, flow: &Flow) -> Self {
        Self {
            state,
            window: ReceiveWindow::new(flow.stream_receive_window()),
            unconsumed: 0,
            partial: None,
        }
    }

    /// The window is announced to be so much larger.
    pub(crate) fn grow(&mut self, by: i64) {
        self.window.grow(by);
    }

    /// The first part of a body came in a request or a response, which counted it on the connection's window.
    pub(crate) fn begin(
        &mut self,
        body: &Bytes,
        compression: Compression,
        flow: &mut Flow,
        limits: &Limits,
    ) -> Result<(), Unwanted> {
        let mut partial = Partial {
            body: Vec::new(),
            compression,
        };
        partial.add(body, flow, limits)?;
        self.partial = Some(partial);
        Ok(())
    }

    /// Takes a data frame: counts it on both windows, and puts messages together.
    #[inline]
    pub(crate) fn on_data(
        &mut self,
        stream_id: u64,
        data: &mut Data,
        flow: &mut Flow,
        limits: &Limits,
        out: &mut impl Output,
    ) -> Result<Received, ConnectionError> {
        let cost = data.body.len() + DATA_FRAME_COST;
        if self.state != State::Receiving {
            if self.state == State::Ended {
                return Err(ConnectionError::UnexpectedFrame {
                    stream_id,
                    kind: "data",
                });
            }
            flow.receive_and_forget(cost, out)?;
            return Ok(Received::Nothing);
        }
        flow.receive(cost)?;
        self.window
            .take(cost)
            .map_err(|Violated| ConnectionError::WindowViolated { stream_id })?;
        if data.more || self.partial.is_some() {
            return Ok(self.on_part(stream_id, data, flow, limits, out));
        }
        let received = match check(data.body.len(), data.compression, limits) {
            Ok(()) => {
                self.unconsumed += cost;
                flow.hold(cost);
                Received::Message(StreamMessage {
                    body: std::mem::take(&mut data.body),
                    compression: data.compression,
                })
            }
            Err(unwanted) => Received::Unwanted(unwanted),
        };
        flow.widen(out);
        Ok(received)
    }

    fn on_part(
        &mut self,
        stream_id: u64,
        data: &Data,
        flow: &mut Flow,
        limits: &Limits,
        out: &mut impl Output,
    ) -> Received {
        let partial = self.partial.get_or_insert_with(|| Partial {
            body: Vec::new(),
            compression: data.compression,
        });
        let received = match partial.add(&data.body, flow, limits) {
            Err(unwanted) => Received::Unwanted(unwanted),
            Ok(()) if data.more => Received::Nothing,
            Ok(()) => {
                let compression = partial.compression;
                let body = std::mem::take(&mut partial.body);
                self.partial = None;
                flow.made(body.len());
                self.unconsumed += body.len() + DATA_FRAME_COST;
                flow.hold(DATA_FRAME_COST);
                Received::Message(StreamMessage {
                    body: body.into(),
                    compression,
                })
            }
        };
        self.widen(stream_id, out);
        flow.widen(out);
        received
    }

    /// The application has taken messages.
    pub(crate) fn consumed(&mut self, stream_id: u64, cost: usize, flow: &mut Flow, out: &mut impl Output) {
        // What was released by `ignore` is not released twice.
        let cost = cost.min(self.unconsumed);
        self.unconsumed -= cost;
        flow.release(cost);
        self.widen(stream_id, out);
        flow.widen(out);
    }

    /// Nobody reads any more: what is there is released, and what comes is ignored.
    pub(crate) fn ignore(&mut self, flow: &mut Flow) {
        if self.state == State::Receiving {
            self.state = State::Ignoring;
        }
        flow.release(std::mem::take(&mut self.unconsumed));
        if let Some(partial) = self.partial.take() {
            flow.made(partial.body.len());
            flow.release(partial.body.len());
        }
    }

    /// The peer sends nothing more. Whether somebody is to be told.
    pub(crate) fn end(&mut self, stream_id: u64) -> Result<bool, ConnectionError> {
        let before = std::mem::replace(&mut self.state, State::Ended);
        if before == State::Ended || self.partial.is_some() {
            return Err(ConnectionError::UnexpectedFrame {
                stream_id,
                kind: "end",
            });
        }
        Ok(before == State::Receiving)
    }

    /// Whether messages are still expected and read.
    pub(crate) fn is_receiving(&self) -> bool {
        self.state == State::Receiving
    }

    fn widen(&mut self, stream_id: u64, out: &mut impl Output) {
        if self.state != State::Receiving {
            return;
        }
        let target = self.window.size() - super::window::bytes(self.unconsumed);
        if let Some(bytes) = self.window.credit_to(target) {
            Credit { bytes }.encode(stream_id, out);
        }
    }
}

impl Partial {
    fn add(&mut self, part: &Bytes, flow: &mut Flow, limits: &Limits) -> Result<(), Unwanted> {
        check(self.body.len() + part.len(), self.compression, limits)?;
        flow.make(part.len())?;
        self.body.extend_from_slice(part);
        Ok(())
    }
}

/// Whether a body of so many bytes is taken.
#[inline]
pub(crate) fn check(len: usize, compression: Compression, limits: &Limits) -> Result<(), Unwanted> {
    if len > limits.max_body_bytes {
        return Err(Unwanted::TooLong);
    }
    if compression != Compression::NONE && !limits.compressions.contains(&compression) {
        return Err(Unwanted::Compression);
    }
    Ok(())
}
