//! What flows over a connection as a whole: its two windows, what is held of what came, and whose turn it is to send.
//!
//! Shared by both ends. Windows of single streams are in `inbound` and `outbound`.

use std::collections::VecDeque;

use super::ConnectionError;
use super::inbound::Unwanted;
use super::outbound::{Left, Outbound};
use super::table::StreamTable;
use super::window::{ReceiveWindow, SendWindow, Violated, bytes};
use crate::frame::Credit;
use crate::limits::PeerLimits;
use crate::{Limits, Output};

/// The connection's own flow control.
///
/// What came is *held* until the application has consumed it. The peer's window is kept at its full size while less than
/// [`Limits::max_pending_bytes`] is held, and so some streams that are not read do not stop the others; near that bound
/// it closes, and so what is held never exceeds the bound by more than one frame.
#[derive(Debug)]
pub(crate) struct Flow {
    send: SendWindow,
    receive: ReceiveWindow,
    /// The cost of what came and was not consumed, with what is in the making.
    held: usize,
    /// The bytes of bodies in the making, a part of `held`.
    making: usize,
    max_held: usize,
    /// What the peer is to have left of the connection's window: its size, or less where much is held. Follows `held`.
    target: i64,
    stream_send: usize,
    stream_receive: usize,
    /// Bytes of bodies that wait for being sent.
    queued: usize,
    /// Streams that have frames to send and whose own window is open, in the order of their turns. Each once, and none
    /// that is closed: its size is bounded by the number of open streams.
    ready: VecDeque<u64>,
    /// Streams that became writable and were not asked for yet. As bounded as `ready`.
    writable: VecDeque<u64>,
    /// The connection's window opened, and streams above this id have not been looked at since.
    opened_above: Option<u64>,
}

/// A stream, as far as sending is concerned.
pub(crate) trait Sending {
    /// The sending side, where it is more than one frame.
    fn outbound(&mut self) -> Option<&mut Outbound>;

    /// Whether the application may send on it, but for the connection's window.
    fn may_send(&self) -> bool;
}

impl Flow {
    pub(crate) fn new(limits: &Limits) -> Self {
        let defaults = PeerLimits::default();
        Self {
            send: SendWindow::new(defaults.connection_window_bytes),
            receive: ReceiveWindow::new(defaults.connection_window_bytes),
            held: 0,
            making: 0,
            max_held: limits.max_held(),
            target: bytes(defaults.connection_window_bytes),
            stream_send: defaults.stream_window_bytes,
            stream_receive: defaults.stream_window_bytes,
            queued: 0,
            ready: VecDeque::new(),
            writable: VecDeque::new(),
            opened_above: None,
        }
    }

    /// This side's greeting is sent: windows grow to what it announces. By how much the window of each open stream
    /// grows.
    pub(crate) fn announce(&mut self, announced: &PeerLimits) -> i64 {
        self.receive
            .grow(bytes(announced.connection_window_bytes) - self.receive.size());
        self.holds_otherwise();
        let grown = bytes(announced.stream_window_bytes) - bytes(self.stream_receive);
        self.stream_receive = announced.stream_window_bytes;
        grown
    }

    /// The peer's greeting came: windows grow to what it announces. By how much the window of each open stream grows.
    pub(crate) fn on_announced(&mut self, announced: &PeerLimits) -> u64 {
        let defaults = PeerLimits::default();
        self.on_credit((announced.connection_window_bytes - defaults.connection_window_bytes) as u64);
        let grown = announced.stream_window_bytes - self.stream_send;
        self.stream_send = announced.stream_window_bytes;
        grown as u64
    }

    pub(crate) fn stream_send_window(&self) -> usize {
        self.stream_send
    }

    pub(crate) fn stream_receive_window(&self) -> usize {
        self.stream_receive
    }

    // Receiving.

    /// A frame with a body has come.
    #[inline]
    pub(crate) fn receive(&mut self, cost: usize) -> Result<(), ConnectionError> {
        self.receive
            .take(cost)
            .map_err(|Violated| ConnectionError::WindowViolated { stream_id: 0 })
    }

    /// A frame has come whose body is consumed as it comes.
    #[inline]
    pub(crate) fn receive_and_forget(
        &mut self,
        cost: usize,
        out: &mut impl Output,
    ) -> Result<(), ConnectionError> {
        if cost > 0 {
            self.receive(cost)?;
            self.widen(out);
        }
        Ok(())
    }

    /// What has come is held until it is released.
    #[inline]
    pub(crate) fn hold(&mut self, cost: usize) {
        self.held += cost;
        self.holds_otherwise();
    }

    pub(crate) fn release(&mut self, cost: usize) {
        debug_assert!(cost <= self.held, "what is released was held");
        self.held = self.held.saturating_sub(cost);
        self.holds_otherwise();
    }

    /// Holds a part of a body that is in the making.
    pub(crate) fn make(&mut self, part: usize) -> Result<(), Unwanted> {
        // The other half is for whole messages, which the application can consume: bodies in the making cannot close
        // the window for each other.
        if self.making + part > self.max_held / 2 {
            return Err(Unwanted::TooMuchInTheMaking);
        }
        self.making += part;
        self.held += part;
        self.holds_otherwise();
        Ok(())
    }

    /// A body is whole, or given up: it is no longer in the making, but still held.
    pub(crate) fn made(&mut self, body: usize) {
        debug_assert!(body <= self.making, "what is made was in the making");
        self.making = self.making.saturating_sub(body);
    }

    #[inline]
    fn holds_otherwise(&mut self) {
        self.target = self.receive.size().min(bytes(self.max_held) - bytes(self.held));
    }

    /// Sends credit where it is worth a frame.
    #[inline]
    pub(crate) fn widen(&mut self, out: &mut impl Output) {
        if let Some(bytes) = self.receive.credit_to(self.target) {
            send_credit(bytes, out);
        }
    }

    // Sending.

    /// Whether the connection's window lets a body be sent.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.send.is_open()
    }

    /// A frame with a body is sent.
    #[inline]
    pub(crate) fn sent(&mut self, cost: usize) {
        self.send.take(cost);
    }

    /// The peer's credit for the connection.
    pub(crate) fn on_credit(&mut self, credit: u64) {
        let shut = !self.send.is_open();
        self.send.add(credit);
        if shut && self.send.is_open() {
            self.opened_above = Some(0);
        }
    }

    /// The peer's credit for a stream.
    pub(crate) fn on_stream_credit(&mut self, stream_id: u64, outbound: &mut Outbound, credit: u64) {
        let shut = !outbound.window.is_open();
        outbound.window.add(credit);
        if shut && outbound.window.is_open() {
            self.has_turned(stream_id, outbound);
        }
    }

    /// Puts a stream into the line that it belongs to now, if any.
    pub(crate) fn has_turned(&mut self, stream_id: u64, outbound: &mut Outbound) {
        if !outbound.window.is_open() {
            return;
        }
        if outbound.has_queued() {
            if !outbound.is_ready {
                outbound.is_ready = true;
                self.ready.push_back(stream_id);
            }
        } else if outbound.may_send() && self.is_open() && !outbound.is_reported {
            outbound.is_reported = true;
            self.writable.push_back(stream_id);
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued
    }

    pub(crate) fn queue(&mut self, bytes: usize) {
        self.queued += bytes;
    }

    /// Nothing more is sent for a stream: what it has queued is dropped.
    pub(crate) fn abandon(&mut self, stream_id: u64, outbound: &mut Outbound) {
        let bytes = outbound.clear();
        debug_assert!(bytes <= self.queued, "what is dropped was queued");
        self.queued = self.queued.saturating_sub(bytes);
        if std::mem::take(&mut outbound.is_ready) {
            self.ready.retain(|id| *id != stream_id);
        }
        if std::mem::take(&mut outbound.is_reported) {
            self.writable.retain(|id| *id != stream_id);
        }
    }

    /// Writes queued frames, one of each stream in turn, until `room` bytes are written; streams that are over are
    /// removed. Whether more could be written.
    pub(crate) fn transmit<S: Sending>(
        &mut self,
        streams: &mut StreamTable<S>,
        peer: &PeerLimits,
        mut room: usize,
        out: &mut impl Output,
    ) -> bool {
        while self.is_open() {
            let Some(&stream_id) = self.ready.front() else {
                return false;
            };
            if room == 0 {
                return true;
            }
            self.ready.pop_front();
            let Some(outbound) = streams.get_mut(stream_id).and_then(Sending::outbound) else {
                debug_assert!(false, "a stream that is ready is open");
                continue;
            };
            outbound.is_ready = false;
            let frame = outbound.write(stream_id, peer, out);
            self.send.take(frame.cost);
            self.queued = self.queued.saturating_sub(frame.body);
            room = room.saturating_sub(frame.written);
            match frame.left {
                Left::Open => self.has_turned(stream_id, outbound),
                Left::Closed => {
                    streams.remove(stream_id);
                }
            }
        }
        false
    }

    /// A stream that has become writable. May be said of a stream that was so all the time.
    pub(crate) fn poll_writable<S: Sending>(&mut self, streams: &mut StreamTable<S>) -> Option<u64> {
        if !self.is_open() {
            // All are looked at once it opens.
            return None;
        }
        while let Some(stream_id) = self.writable.pop_front() {
            let Some(stream) = streams.get_mut(stream_id) else {
                continue;
            };
            if let Some(outbound) = stream.outbound() {
                outbound.is_reported = false;
            }
            if stream.may_send() {
                return Some(stream_id);
            }
        }
        while let Some(above) = self.opened_above {
            let next = streams.next_above(above);
            self.opened_above = next.map(|(stream_id, _)| stream_id);
            if let Some((stream_id, stream)) = next
                && stream.may_send()
            {
                return Some(stream_id);
            }
        }
        None
    }
}

#[cold]
fn send_credit(bytes: u64, out: &mut impl Output) {
    Credit { bytes }.encode(0, out);
}
