//! What the server's end holds of one stream.

use std::time::Instant;

use super::IncomingRequest;
use crate::connection::flow::{Flow, Sending};
use crate::connection::inbound::Inbound;
use crate::connection::outbound::Outbound;

/// A stream that is not in hand; see the diagram at [`ServerConnection`](super::ServerConnection).
#[derive(Debug)]
pub(super) enum StreamState {
    /// The handler runs; an answer is owed, unless the call is one-way. The request was whole, and nothing was sent.
    Running { one_way: bool },
    /// More than one frame in one of the directions.
    Flowing(Box<Flowing>),
    /// The handler has not ended yet, but nothing more is sent.
    Silent,
}

/// A stream with more than one frame in one of the directions.
#[derive(Debug)]
pub(super) struct Flowing {
    pub(super) phase: Phase,
    pub(super) one_way: bool,
    pub(super) inbound: Inbound,
    pub(super) outbound: Outbound,
}

/// ```text
///             the body is whole           open_response, or send
///   Assembling ───────────────▶ Running ────────────────────────▶ Opened
///                                  │ respond / end behind             │ end behind
///                                  ▼ what is queued                   ▼ what is queued
///                               Leaving ◀─────────────────────────────┘
/// ```
#[derive(Debug)]
pub(super) enum Phase {
    /// The request's body is not whole; the application does not know of the call.
    Assembling(Box<Assembling>),
    /// The handler runs.
    Running,
    /// The handler runs, and the response is a stream.
    Opened,
    /// The handler has ended; what it left is queued.
    Leaving,
}

/// A request whose body is not whole.
#[derive(Debug)]
pub(super) struct Assembling {
    pub(super) request: IncomingRequest,
    /// When its first part came.
    pub(super) since: Instant,
}

impl Flowing {
    /// A call that the application knows of.
    pub(super) fn running(one_way: bool, inbound: Inbound, flow: &Flow) -> Box<Self> {
        Box::new(Self {
            phase: Phase::Running,
            one_way,
            inbound,
            outbound: Outbound::open(flow.stream_send_window()),
        })
    }

    /// The call is over as far as the peer is concerned: releases what came, and drops what waits.
    pub(super) fn abandon(&mut self, stream_id: u64, flow: &mut Flow) {
        self.inbound.ignore(flow);
        flow.abandon(stream_id, &mut self.outbound);
    }
}

impl Sending for StreamState {
    fn outbound(&mut self) -> Option<&mut Outbound> {
        match self {
            Self::Flowing(flowing) => Some(&mut flowing.outbound),
            Self::Running { .. } | Self::Silent => None,
        }
    }

    fn may_send(&self) -> bool {
        match self {
            Self::Running { one_way } => !one_way,
            Self::Flowing(flowing) => {
                !flowing.one_way
                    && matches!(flowing.phase, Phase::Running | Phase::Opened)
                    && flowing.outbound.may_send()
            }
            Self::Silent => false,
        }
    }
}
