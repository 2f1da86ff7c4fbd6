//! What is counted of one session.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// What was counted of a session, and how it stands; see [`Session::stats`](crate::Session::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Bytes that were read from the client's socket.
    pub bytes_received: u64,
    /// Bytes that the client's socket has taken.
    pub bytes_sent: u64,
    /// WebSocket messages that the client has sent, control frames included.
    pub messages_received: u64,
    /// Calls that the client has made, whatever became of them.
    pub calls: u64,
    /// Calls that were ended with another status than OK: refused, failed, late, or ended by the server.
    pub failed_calls: u64,
    /// Calls that are open now.
    pub open_calls: u32,
    /// Bytes of answers and events that wait now for the client to open its windows, or for its socket to take them.
    pub queued_bytes: u64,
}

impl SessionStats {
    /// Adds the counts of a session that is over. Nothing of it is open or queued any more.
    pub(crate) fn add_what_is_over(&mut self, other: &Self) {
        self.bytes_received += other.bytes_received;
        self.bytes_sent += other.bytes_sent;
        self.messages_received += other.messages_received;
        self.calls += other.calls;
        self.failed_calls += other.failed_calls;
    }
}

/// The counters of a session. Its connection's task alone writes them, others look.
// What every event changes stands first.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Counters {
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    messages_received: AtomicU64,
    calls: AtomicU64,
    failed_calls: AtomicU64,
    open_calls: AtomicU32,
    /// Limits keep it far below 4 GiB.
    queued_bytes: AtomicU32,
    /// In microseconds; 0: none is known.
    round_trip_time: AtomicU32,
}

/// Adds without a locked instruction, because nobody else writes.
#[inline]
fn add(counter: &AtomicU64, amount: u64) {
    counter.store(
        counter.load(Ordering::Relaxed).wrapping_add(amount),
        Ordering::Relaxed,
    );
}

impl Counters {
    #[inline]
    pub(crate) fn received(&self, bytes: usize) {
        add(&self.bytes_received, bytes as u64);
    }

    #[inline]
    pub(crate) fn sent(&self, bytes: usize) {
        add(&self.bytes_sent, bytes as u64);
    }

    #[inline]
    pub(crate) fn message(&self) {
        add(&self.messages_received, 1);
    }

    #[inline]
    pub(crate) fn call(&self) {
        add(&self.calls, 1);
    }

    #[inline]
    pub(crate) fn failed_call(&self) {
        add(&self.failed_calls, 1);
    }

    /// How the connection stands at the end of a turn.
    #[inline]
    pub(crate) fn stands(&self, open_calls: usize, queued_bytes: usize) {
        // No more than streams may be open.
        self.open_calls.store(open_calls as u32, Ordering::Relaxed);
        let queued_bytes = u32::try_from(queued_bytes).unwrap_or(u32::MAX);
        self.queued_bytes.store(queued_bytes, Ordering::Relaxed);
    }

    /// Less than a microsecond counts as one, and more than an hour as an hour.
    pub(crate) fn set_round_trip_time(&self, time: Duration) {
        let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.round_trip_time.store(micros.max(1), Ordering::Relaxed);
    }

    pub(crate) fn round_trip_time(&self) -> Option<Duration> {
        match self.round_trip_time.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(micros.into())),
        }
    }

    pub(crate) fn stats(&self) -> SessionStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SessionStats {
            bytes_received: read(&self.bytes_received),
            bytes_sent: read(&self.bytes_sent),
            messages_received: read(&self.messages_received),
            calls: read(&self.calls),
            failed_calls: read(&self.failed_calls),
            open_calls: self.open_calls.load(Ordering::Relaxed),
            queued_bytes: self.queued_bytes.load(Ordering::Relaxed).into(),
        }
    }
}
