//! What the client's end holds of one call.

use crate::connection::flow::{Flow, Sending};
use crate::connection::inbound::Inbound;
use crate::connection::outbound::Outbound;
use crate::frame::Response;

/// A call that waits for its outcome; see the diagram at [`ClientConnection`](super::ClientConnection).
#[derive(Debug)]
pub(super) enum CallState {
    /// The request was whole, and nothing has come.
    Waiting,
    /// More than one frame in one of the directions.
    Flowing(Box<Flowing>),
}

/// A call with more than one frame in one of the directions.
#[derive(Debug)]
pub(super) struct Flowing {
    pub(super) phase: Phase,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
}

/// ```text
///             a response whose body goes on        its last part
///   Waiting ───────────────────────────────▶ Assembling ─────────▶ (closed)
///      │ an open response
///      ▼                         end
///   Opened ──────────────────────────────▶ (closed)
/// ```
#[derive(Debug)]
pub(super) enum Phase {
    /// Nothing has come.
    Waiting,
    /// The final response's body is not whole.
    Assembling(Box<Response>),
    /// The response is a stream.
    Opened,
    /// Nothing will come: a one-way call whose request has not left.
    OneWay,
}

impl Flowing {
    /// A call of which nothing has come.
    pub(super) fn waiting(outbound: Outbound, flow: &Flow) -> Box<Self> {
        Box::new(Self {
            phase: Phase::Waiting,
            inbound: Inbound::ended(flow),
            outbound,
        })
    }

    /// The call is over: releases what came, and drops what waits.
    pub(super) fn abandon(&mut self, stream_id: u64, flow: &mut Flow) {
        self.inbound.ignore(flow);
        flow.abandon(stream_id, &mut self.outbound);
    }
}

impl CallState {
    /// Whether nothing has come for the call.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Self::Waiting => true,
            Self::Flowing(flowing) => matches!(flowing.phase, Phase::Waiting | Phase::OneWay),
        }
    }
}

impl Sending for CallState {
    fn outbound(&mut self) -> Option<&mut Outbound> {
        match self {
            Self::Flowing(flowing) => Some(&mut flowing.outbound),
            Self::Waiting => None,
        }
    }

    fn may_send(&self) -> bool {
        match self {
            Self::Flowing(flowing) => flowing.outbound.may_send(),
            Self::Waiting => false,
        }
    }
}
