//! What a server allows, all of it finite.

use std::time::Duration;

use crate::memory;

/// What a server allows a connection and all connections together.
///
/// Every value is finite by default. Change the ones you need:
///
/// ```
/// # use rpc_runtime::Limits;
/// let limits = Limits { message_bytes: 4 << 20, ..Limits::default() };
/// assert_eq!(limits.connections, 100_000);
/// ```
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest WebSocket message that a client may send, in bytes. A longer one closes the connection with 1009,
    /// decided from its header. 1 MiB by default.
    pub message_bytes: usize,
    /// The most memory, in bytes, that decoding one request may take. A body that would take more is answered
    /// RESOURCE_EXHAUSTED before any of it is decoded. 16 MiB by default.
    pub decode_bytes: usize,
    /// The most memory, in bytes, that the requests of one connection's running calls may take together, decoded. One
    /// call too many is answered RESOURCE_EXHAUSTED without being run. 64 MiB by default.
    pub running_bytes: usize,
    /// Bodies of more elements than this are decoded on a thread for blocking work, so that neither their connection
    /// nor others wait. 4,096 by default.
    pub inline_elements: u64,
    /// How many messages one connection handles in one turn before others get theirs. 256 by default.
    pub turn_messages: usize,
    /// How long one connection's turn lasts before others get theirs, looked at after every 16 messages. It cannot
    /// interrupt a handler: one that computes for long declares `spawn`. 1 ms by default.
    pub turn_time: Duration,
    /// Calls of one connection that may be running at once. One more is answered RESOURCE_EXHAUSTED without being
    /// run. 100 by default.
    pub streams: usize,
    /// Connections at once; one more is answered with HTTP 503. 100,000 by default, and never more than the limit on
    /// open files leaves room for (on Linux).
    pub connections: usize,
    /// Accepted sockets whose upgrade is not over; one more is closed silently. 1,000 by default.
    pub handshakes: usize,
    /// The same, of one address. Raise it where all connections come through a proxy. 20 by default.
    pub handshakes_per_address: usize,
    /// How long the HTTP request and the upgrade may take together. Slower ones are closed silently. 5 s by default.
    pub handshake_timeout: Duration,
    /// How many bytes the HTTP request's headers may have. 8 KiB by default.
    pub header_bytes: usize,
    /// Output that the peer has not taken. Above it the connection is not read from until it has drained. 1 MiB by
    /// default.
    pub unflushed_bytes: usize,
    /// How long output may wait without the peer taking any of it; then the connection is closed with 4408. 10 s by
    /// default.
    pub write_stall: Duration,
    /// How long a message that has begun may take to be whole; then the connection is closed with 4408. 30 s by
    /// default.
    pub message_time: Duration,
    /// After this much silence the peer is pinged. 25 s by default.
    pub ping_interval: Duration,
    /// How long after a ping anything must have come from the peer; otherwise it is gone. 10 s by default.
    pub pong_timeout: Duration,
    /// How long running calls may go on once the server is stopping; then they are cancelled and their connection is
    /// closed with 1012. 25 s by default.
    pub drain_grace: Duration,
    /// How long a peer may take to answer our close frame. 2 s by default.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1 << 20,
            decode_bytes: memory::DEFAULT_BUDGET,
            running_bytes: 64 << 20,
            inline_elements: memory::ELEMENTS_IN_TURN,
            turn_messages: 256,
            turn_time: Duration::from_millis(1),
            streams: 100,
            connections: 100_000,
            handshakes: 1_000,
            handshakes_per_address: 20,
            handshake_timeout: Duration::from_secs(5),
            header_bytes: 8 << 10,
            unflushed_bytes: 1 << 20,
            write_stall: Duration::from_secs(10),
            message_time: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            drain_grace: Duration::from_secs(25),
            close_timeout: Duration::from_secs(2),
        }
    }
}
