//! What one connection counts: by itself while it is in its turn, and handed over at the turn's end, so that connections on
//! several cores seldom meet at a counter.

use std::sync::Arc;

use metrics::{Counter, Gauge};
use rpc_protocol::CloseCode;
use tokio::time::Instant;

use super::{
    MethodMetrics,
    server::{RefusedCall, ServerMetrics, Side},
};
use crate::{Code, server::ActiveEndpoint};

/// What one connection counts.
pub(crate) struct ConnectionMeter {
    server: Arc<ServerMetrics>,
    endpoint: Arc<ActiveEndpoint>,
    /// What the clock said last in this batch of messages: when one call ends, the next is read.
    clock: Option<Instant>,
    /// Calls of one method with one code that are not handed over yet.
    ended: Ended,
    told: Totals,
    levels: Levels,
    /// How the connection ended has been counted.
    closed: bool,
}

/// Calls that ended one after the other and alike.
#[derive(Clone, Copy)]
struct Ended {
    method: usize,
    code: Code,
    calls: u64,
}

/// A call that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    method: usize,
    began: Instant,
}

/// What only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) received_messages: u64,
    pub(crate) sent_messages: u64,
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    /// Calls that the protocol has refused by itself.
    pub(crate) over_limits: u64,
    /// Calls that came while the server was stopping.
    pub(crate) while_stopping: u64,
}

/// What grows and shrinks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    pub(crate) open_calls: usize,
    pub(crate) queued_bytes: usize,
    pub(crate) unflushed_bytes: usize,
    pub(crate) held_bytes: usize,
    pub(crate) queued_events: usize,
}

impl ConnectionMeter {
    /// Counts for a connection that was just made, if the server counts at all. Boxed: it is not part of a connection that
    /// counts nothing.
    pub(crate) fn new(endpoint: &Arc<ActiveEndpoint>) -> Option<Box<Self>> {
        let server = endpoint.meter.server()?.clone();
        server.connections.increment(1);
        Some(Box::new(Self {
            server,
            endpoint: endpoint.clone(),
            clock: None,
            ended: Ended {
                method: 0,
                code: Code::Ok,
                calls: 0,
            },
            told: Totals::default(),
            levels: Levels::default(),
            closed: false,
        }))
    }

    fn methods(&self) -> Option<&MethodMetrics> {
        self.endpoint.method_metrics.as_ref()
    }

    /// Messages are about to be handled that were read just now.
    #[inline]
    pub(crate) fn batch_begins(&mut self) {
        self.clock = None;
    }

    /// A call begins; `None` where its method is not known.
    #[inline]
    pub(crate) fn begin(&mut self, method: Option<usize>) -> Measured {
        let began = *self.clock.get_or_insert_with(Instant::now);
        let unknown = || self.methods().map_or(0, MethodMetrics::unknown);
        Measured {
            method: method.unwrap_or_else(unknown),
            began,
        }
    }

    /// A call ends. A clock is read for each.
    #[inline]
    pub(crate) fn end(&mut self, call: Measured, code: Code) {
        let now = Instant::now();
        self.clock = Some(now);
        if let Some(methods) = self.methods() {
            methods.took(call.method, now - call.began);
        }
        if (self.ended.method, self.ended.code) != (call.method, code) {
            self.hand_over_ended();
            (self.ended.method, self.ended.code) = (call.method, code);
        }
        self.ended.calls += 1;
    }

    fn hand_over_ended(&mut self) {
        let Ended { method, code, calls } = self.ended;
        if calls > 0
            && let Some(methods) = self.methods()
        {
            methods.ended(method, code, calls);
        }
        self.ended.calls = 0;
    }

    /// The connection is closed.
    pub(crate) fn closed(&mut self, code: CloseCode, by: Side) {
        if !std::mem::replace(&mut self.closed, true) {
            self.endpoint.meter.closed(code, by);
        }
    }

    /// The connection goes on with a session that has counted so much before.
    pub(crate) fn goes_on_from(&mut self, totals: Totals) {
        self.told = totals;
    }

    /// A turn is over: hands over what was counted.
    pub(crate) fn turn_ends(&mut self, totals: Totals, levels: Levels) {
        self.hand_over_ended();
        let server = &*self.server;
        let told = std::mem::replace(&mut self.told, totals);
        add(
            &server.received_messages,
            totals.received_messages - told.received_messages,
        );
        add(&server.sent_messages, totals.sent_messages - told.sent_messages);
        add(
            &server.received_bytes,
            totals.received_bytes - told.received_bytes,
        );
        add(&server.sent_bytes, totals.sent_bytes - told.sent_bytes);
        let refused = [
            (RefusedCall::Limit, totals.over_limits - told.over_limits),
            (RefusedCall::Stopping, totals.while_stopping - told.while_stopping),
        ];
        for (why, count) in refused {
            if count > 0 {
                self.endpoint.meter.refused_so_many(why, count);
            }
        }
        let before = std::mem::replace(&mut self.levels, levels);
        change(&server.open_calls, before.open_calls, levels.open_calls);
        change(&server.queued_bytes, before.queued_bytes, levels.queued_bytes);
        change(
            &server.unflushed_bytes,
            before.unflushed_bytes,
            levels.unflushed_bytes,
        );
        change(&server.held_bytes, before.held_bytes, levels.held_bytes);
        change(&server.queued_events, before.queued_events, levels.queued_events);
    }
}

impl Drop for ConnectionMeter {
    fn drop(&mut self) {
        self.turn_ends(self.told, Levels::default());
        // Nothing, where a close frame was sent or received.
        self.closed(CloseCode::Abnormal, Side::Neither);
    }
}

fn add(counter: &Counter, count: u64) {
    if count > 0 {
        counter.increment(count);
    }
}

fn change(gauge: &Gauge, from: usize, to: usize) {
    if from != to {
        gauge.increment(to as f64 - from as f64);
    }
}
