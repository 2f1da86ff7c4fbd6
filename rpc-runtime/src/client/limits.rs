//! What a client allows a connection, all of it finite.

use std::time::Duration;

use rpc_protocol::Limits as ProtocolLimits;

use crate::{
    limits::{SHORTEST_PING_INTERVAL, check_finite, check_least, check_replay, check_times},
    memory,
    router::StartError,
};

/// What a client allows each of its connections. The server is told, and keeps to it; a response over a limit fails its
/// own call with RESOURCE_EXHAUSTED.
///
/// Every value is finite by default. Change the ones you need:
///
/// ```
/// # use rpc_runtime::ClientLimits;
/// let limits = ClientLimits { body_bytes: 64 << 20, ..ClientLimits::default() };
/// assert_eq!(limits.message_bytes, 1 << 20);
/// ```
#[derive(Debug, Clone)]
pub struct ClientLimits {
    /// The longest WebSocket message that the server may send, in bytes. Longer bodies come in several. A longer message
    /// closes the connection with 1009. 1 MiB by default, and never less.
    pub message_bytes: usize,
    /// The longest response, or message of a stream, in bytes as on the wire and decompressed. 4 MiB by default.
    pub body_bytes: usize,
    /// The most memory, in bytes, that decoding one response may take. 16 MiB by default.
    pub decode_bytes: usize,
    /// How many bytes of one stream may be on their way or wait to be read. 256 KiB by default, and never less.
    pub stream_window: usize,
    /// The same of all streams of a connection. 1 MiB by default, and never less.
    pub connection_window: usize,
    /// How many bytes may wait to be read altogether, of all streams of a connection. 16 MiB by default.
    pub pending_bytes: usize,
    /// Requests that the server has not taken from the network. Above it calls wait before they are sent. 1 MiB by
    /// default.
    pub unsent_bytes: usize,
    /// How long the server may take nothing of what waits for it; then the connection is closed with 4408. 30 s by
    /// default.
    pub write_stall: Duration,
    /// After this much silence the server is pinged. 25 s by default, and never less than 2 s, because servers take more than 10
    /// pings in 10 s for a flood.
    pub ping_interval: Duration,
    /// How long after a ping anything must have come from the server; otherwise it is gone. 10 s by default.
    pub pong_timeout: Duration,
    /// How long the server may take to answer our close frame. 2 s by default.
    pub close_timeout: Duration,
    /// How many events of one [subscription](crate::hub::client::Subscription), or of one
    /// [stream of events](crate::hub::client::EventStream), wait for a program that does not read them. 1,024 by default.
    pub unread_events: usize,
    /// And how many bytes they take. 1 MiB by default. One event may always wait.
    pub unread_event_bytes: usize,
    /// How much is kept of frames of calls that the server has not acknowledged, in bytes, each counted with 64 more, where the
    /// client comes back to its session ([`ClientBuilder::resume`](crate::ClientBuilder::resume)). Calls that run when the connection
    /// is lost, and their streams, then wait for the next one and go on there, where the server keeps as much
    /// ([`Limits::replay_bytes`](crate::Limits::replay_bytes)) and neither side misses anything: each frame arrives once and in order,
    /// and the program sees no error. Where that cannot be, they fail as UNAVAILABLE, and may have run
    /// ([`CallError::may_have_run`](crate::CallError::may_have_run)).
    ///
    /// Each frame is copied for it. Streams are sent no further, and calls not opened, while half of it waits for
    /// acknowledgements. 0, the default: calls end with their connection, and nothing is copied. Otherwise at least 1 MiB, and at most
    /// 1 GiB.
    pub replay_bytes: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        let protocol = ProtocolLimits::default();
        Self {
            message_bytes: protocol.max_message_bytes,
            body_bytes: 4 << 20,
            decode_bytes: memory::DEFAULT_BUDGET,
            stream_window: protocol.stream_window_bytes,
            connection_window: protocol.connection_window_bytes,
            pending_bytes: 16 << 20,
            unsent_bytes: 1 << 20,
            write_stall: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            unread_events: 1_024,
            unread_event_bytes: 1 << 20,
            replay_bytes: 0,
        }
    }
}

impl ClientLimits {
    /// Finds a value with which nothing would work.
    pub(super) fn check(&self) -> Result<(), StartError> {
        check_least(&[
            ("body_bytes", self.body_bytes, 1),
            ("decode_bytes", self.decode_bytes, 1),
            ("pending_bytes", self.pending_bytes, 1),
        ])?;
        check_replay(self.replay_bytes)?;
        check_times(&[
            ("write_stall", self.write_stall),
            ("pong_timeout", self.pong_timeout),
        ])?;
        check_finite(&[
            ("write_stall", self.write_stall),
            ("ping_interval", self.ping_interval),
            ("pong_timeout", self.pong_timeout),
            ("close_timeout", self.close_timeout),
        ])
    }

    /// The same in the protocol's words.
    pub(super) fn protocol(&self) -> ProtocolLimits {
        let mut limits = ProtocolLimits::default();
        limits.max_message_bytes = self.message_bytes.max(limits.max_message_bytes);
        limits.stream_window_bytes = self.stream_window.max(limits.stream_window_bytes);
        limits.connection_window_bytes = self.connection_window.max(limits.connection_window_bytes);
        limits.max_body_bytes = self.body_bytes;
        limits.max_pending_bytes = self.pending_bytes;
        limits.keep_alive_interval = Some(self.ping_interval.max(SHORTEST_PING_INTERVAL));
        limits.keep_alive_timeout = self.pong_timeout;
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_pings_no_faster_than_a_server_takes_for_a_flood() {
        let with = |ping_interval| ClientLimits {
            ping_interval,
            ..ClientLimits::default()
        };
        let interval = |limits: ClientLimits| limits.protocol().keep_alive_interval;
        assert_eq!(interval(with(Duration::ZERO)), Some(Duration::from_secs(2)));
        assert_eq!(
            interval(with(Duration::from_secs(3))),
            Some(Duration::from_secs(3))
        );
        let pings = Duration::from_secs(10).as_secs_f64() / SHORTEST_PING_INTERVAL.as_secs_f64();
        assert!(pings * 2.0 <= f64::from(ProtocolLimits::default().max_pings));
    }
}
