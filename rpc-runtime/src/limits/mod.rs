//! What a server allows, all of it finite.

mod checks;

use std::time::Duration;

use rpc_protocol::Limits as ProtocolLimits;

pub(crate) use checks::{LONGEST, check_finite, check_least, check_replay, check_times};

use crate::{hub::LONGEST_MESSAGE, memory, router::StartError};

/// What an endpoint allows each of its connections. What a server allows all connections together is
/// [`ServerLimits`](crate::ServerLimits).
///
/// Every value is finite by default. Change the ones you need:
///
/// ```
/// # use rpc_runtime::Limits;
/// let limits = Limits { message_bytes: 4 << 20, ..Limits::default() };
/// assert_eq!(limits.streams, 100);
/// ```
#[derive(Debug, Clone)]
pub struct Limits {
    /// The longest WebSocket message that a client may send, in bytes. A longer one closes the connection with 1009,
    /// decided from its header. 1 MiB by default.
    pub message_bytes: usize,
    /// The most memory, in bytes, that decoding one request may take, or one event or presence data of a client that is validated. A
    /// body that would take more is answered RESOURCE_EXHAUSTED before any of it is decoded. 16 MiB by default.
    pub decode_bytes: usize,
    /// The most memory, in bytes, that the requests of one connection's running calls may take together, decoded. One
    /// call too many is answered RESOURCE_EXHAUSTED without being run. Once more as much may be taken by the messages that
    /// the handlers of its streams have read, of which each stream counts with its largest; a stream that would take more
    /// ends with RESOURCE_EXHAUSTED. One event that is validated may take `decode_bytes` beside. 64 MiB by default.
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
    /// run. Clean-up (`Context::on_close`) may go on in ten times as many places, and no call is run beyond that. 100 by
    /// default.
    pub streams: usize,
    /// The longest body of a call or of a stream's message, in bytes: as it is on the wire, put together from its frames,
    /// and as what it inflates to. A longer one is answered RESOURCE_EXHAUSTED and not inflated further. 4 MiB by
    /// default.
    pub body_bytes: usize,
    /// How many bytes a client may send on one stream before its messages are read. At least 256 KiB, the protocol's own
    /// and the default.
    pub stream_window: usize,
    /// How many bytes a client may send on all streams of its connection together before the server has made room again.
    /// At least 1 MiB, the protocol's own and the default.
    pub connection_window: usize,
    /// The most, in bytes, that waits for its readers on one connection, with bodies that are not whole yet, which may
    /// take half of it. Near it the connection's window closes, and so no client makes the server hold more. At least
    /// two connection windows. 16 MiB by default.
    pub pending_bytes: usize,
    /// Bodies that wait for a client to open its windows, in bytes. Above half of it, streams of that connection do not go
    /// on; above all of it no call does, and new ones are answered RESOURCE_EXHAUSTED. A stream's message waits as far as it
    /// is longer than the windows are open. 16 MiB by default.
    pub queued_bytes: usize,
    /// Events that wait for a client to take them, of all its channels, in bytes; each counts for 64 more than its message has.
    /// What happens when there is no room for another is the channel's matter: see
    /// [`SlowConsumer`](crate::hub::SlowConsumer), by which it may be twice as much for a while. While a client catches up with
    /// channels, as much is kept of what comes meanwhile in all of them together; a channel that does not fit waits for its turn, in
    /// which it may have as much again. What is read of histories for its answers is bounded by itself: 4 MiB for all that are made at
    /// once, and as much again for one in its turn. 1 MiB by default.
    pub event_queue_bytes: usize,
    /// Channels that one connection may have subscribed to at a time. One more is answered RESOURCE_EXHAUSTED. 1,000 by default.
    pub subscriptions: usize,
    /// Longer bodies are to come in frames of this many bytes, so that others come in between. 128 KiB by default.
    pub frame_body_bytes: usize,
    /// Metadata pairs of one request. More is answered RESOURCE_EXHAUSTED. 128 by default.
    pub metadata_entries: usize,
    /// Bytes of keys and values of one request's metadata. More is answered RESOURCE_EXHAUSTED. 16 KiB by default.
    pub metadata_bytes: usize,
    /// Calls that a connection may begin in 10 s. More are answered RESOURCE_EXHAUSTED, and 1,000 such refusals close
    /// the connection with 4429. 20,000,000 by default.
    pub opens: u32,
    /// Calls that a connection may reset in 10 s. More, where they are more than half of those begun, close it with 4429.
    /// 200 by default.
    pub resets: u32,
    /// Longer bodies of responses are deflated, in bytes, for clients that say that they can read that. `None`, the
    /// default, deflates nothing. What clients send deflated is read either way.
    pub compress_above: Option<usize>,
    /// How long a session's method may go on once its client has disconnected; then its future is dropped. 1 s by
    /// default.
    pub session_grace: Duration,
    /// A connection on which nothing happens for so long is closed with 1001: no call is open, and nothing comes but
    /// pings and pongs. 24 h by default.
    pub idle_timeout: Duration,
    /// Output that the peer has not taken. Above it the connection is not read from until it has drained. 1 MiB by
    /// default.
    pub unflushed_bytes: usize,
    /// How long output may wait without the peer taking any of it; then the connection is closed with 4408. 10 s by
    /// default.
    pub write_stall: Duration,
    /// How long a message that has begun may take to be whole; then the connection is closed with 4408. 30 s by
    /// default.
    pub message_time: Duration,
    /// After this much silence the peer is pinged. At least 2 s, because clients take more than 10 pings in 10 s for a flood.
    /// 25 s by default.
    pub ping_interval: Duration,
    /// How long after a ping anything must have come from the peer; otherwise it is gone. 10 s by default.
    pub pong_timeout: Duration,
    /// How long a peer may take to answer our close frame. 2 s by default.
    pub close_timeout: Duration,
    /// The longest WebSocket message of a client that has not been known yet, where the endpoint requires authentication, in
    /// bytes. A longer one closes the connection with 1009; a request in parts is answered UNAUTHENTICATED at its first. It goes
    /// for the credential and what comes before it: what a client sends behind a credential that is accepted, and behind a
    /// sign-out, has `message_bytes`, which is why the greeting tells that. 16 KiB by default.
    pub unauthenticated_message_bytes: usize,
    /// How long a client may take to become known, where the endpoint requires that; then it is closed with 4505. Also how
    /// long an authenticator, or the hooks of a connect, may take. 5 s by default.
    pub authentication_time: Duration,
    /// How many credentials a connection may show in 10 s, whatever comes of them. One more closes it with 4429. 20 by
    /// default.
    pub credentials: u32,
    /// How many credentials of a connection may be refused in 10 s. One more closes it with 4500. 5 by default.
    pub refused_credentials: u32,
    /// So long before its identity ends a client is told. Half of the time that is left where that is less. 60 s by default.
    pub expiry_warning: Duration,
    /// How long a client may go on once its identity has ended, and refresh it; then it is closed with 4401. 25 s by
    /// default.
    pub expiry_grace: Duration,
    /// How long a session waits for its client to come back when the connection is lost without a close frame, or because the
    /// client does not answer or read: the client then goes on with the same session, by a secret that it was told, and
    /// misses no direct event. Calls end all the same, unless there are `replay_bytes`. Zero, the default: not at all, every
    /// connection is a session. [`ServerLimits::detached_sessions`](crate::ServerLimits::detached_sessions) bounds how many wait.
    ///
    /// Until its client has said that they have arrived, the session keeps as many direct events as may wait for it
    /// (`event_queue_bytes`, each counted with 64 more). A client that comes back and has missed some that were given up for others
    /// begins a new session.
    pub resume_window: Duration,
    /// With a `resume_window`: how much a session keeps of frames of calls that its client has not acknowledged, in bytes, each
    /// counted with 64 more. Calls that run when the connection is lost, and their streams, then go on when the client comes back:
    /// each frame arrives once and in order, both ways. Their handlers run meanwhile, and their deadlines. It is for clients that
    /// keep as much themselves ([`ClientLimits::replay_bytes`](crate::ClientLimits::replay_bytes)); for others nothing is kept.
    ///
    /// Each frame is copied for it. Streams, and the rest of long answers, are sent no further while half of it waits for
    /// acknowledgements; while the client is away, all calls wait there. Past the bound the oldest frames are given up: where the
    /// client turns out to miss some of them, its session goes on and its calls end, as without. 0, the default: calls end with their
    /// connection, and nothing is copied. Otherwise at least 1 MiB, and at most 1 GiB.
    pub replay_bytes: usize,
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
            body_bytes: 4 << 20,
            stream_window: 256 << 10,
            connection_window: 1 << 20,
            pending_bytes: 16 << 20,
            queued_bytes: 16 << 20,
            event_queue_bytes: 1 << 20,
            subscriptions: 1_000,
            frame_body_bytes: 128 << 10,
            metadata_entries: 128,
            metadata_bytes: 16 << 10,
            opens: 20_000_000,
            resets: 200,
            compress_above: None,
            session_grace: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(24 * 60 * 60),
            unflushed_bytes: 1 << 20,
            write_stall: Duration::from_secs(10),
            message_time: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            pong_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            unauthenticated_message_bytes: 16 << 10,
            authentication_time: Duration::from_secs(5),
            credentials: 20,
            refused_credentials: 5,
            expiry_warning: Duration::from_secs(60),
            expiry_grace: Duration::from_secs(25),
            resume_window: Duration::ZERO,
            replay_bytes: 0,
        }
    }
}

impl Limits {
    /// Finds a value with which nothing would work, or that the protocol does not allow.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let defaults = Self::default();
        let at_least = [
            ("message_bytes", self.message_bytes, SMALLEST_MESSAGE),
            ("decode_bytes", self.decode_bytes, 1),
            ("running_bytes", self.running_bytes, 1),
            ("turn_messages", self.turn_messages, 1),
            ("streams", self.streams, 1),
            ("body_bytes", self.body_bytes, 1),
            ("stream_window", self.stream_window, defaults.stream_window),
            (
                "connection_window",
                self.connection_window,
                defaults.connection_window.max(self.stream_window),
            ),
            (
                "pending_bytes",
                self.pending_bytes,
                self.connection_window.saturating_mul(2),
            ),
            (
                "pending_bytes",
                self.pending_bytes,
                self.body_bytes.saturating_mul(2),
            ),
            ("queued_bytes", self.queued_bytes, 1),
            ("event_queue_bytes", self.event_queue_bytes, LONGEST_MESSAGE),
            ("frame_body_bytes", self.frame_body_bytes, SMALLEST_MESSAGE),
            ("unflushed_bytes", self.unflushed_bytes, 1),
            (
                "unauthenticated_message_bytes",
                self.unauthenticated_message_bytes,
                SMALLEST_MESSAGE,
            ),
        ];
        check_least(&at_least)?;
        check_replay(self.replay_bytes)?;
        if self.replay_bytes > 0 {
            // They are of sessions that wait.
            check_times(&[("resume_window", self.resume_window)])?;
        }
        if self.ping_interval < SHORTEST_PING_INTERVAL {
            return Err(StartError::Limit {
                limit: "ping_interval",
                problem: format!(
                    "is {:?} and must be at least {SHORTEST_PING_INTERVAL:?}, because clients take more than 10 pings in 10 s \
                     for a flood",
                    self.ping_interval
                ),
            });
        }
        check_times(&[
            ("turn_time", self.turn_time),
            ("write_stall", self.write_stall),
            ("message_time", self.message_time),
            ("pong_timeout", self.pong_timeout),
            ("idle_timeout", self.idle_timeout),
            ("authentication_time", self.authentication_time),
        ])?;
        check_finite(&[
            ("turn_time", self.turn_time),
            ("session_grace", self.session_grace),
            ("idle_timeout", self.idle_timeout),
            ("write_stall", self.write_stall),
            ("message_time", self.message_time),
            ("ping_interval", self.ping_interval),
            ("pong_timeout", self.pong_timeout),
            ("close_timeout", self.close_timeout),
            ("authentication_time", self.authentication_time),
            ("expiry_warning", self.expiry_warning),
            ("expiry_grace", self.expiry_grace),
            ("resume_window", self.resume_window),
        ])
    }

    /// What the protocol keeps of them, and tells in the greeting.
    pub(crate) fn of_protocol(&self) -> ProtocolLimits {
        let mut limits = ProtocolLimits::default();
        limits.max_message_bytes = self.message_bytes;
        limits.max_streams = self.streams;
        limits.stream_window_bytes = self.stream_window;
        limits.connection_window_bytes = self.connection_window;
        limits.max_frame_body_bytes = self.frame_body_bytes;
        limits.max_body_bytes = self.body_bytes;
        limits.max_pending_bytes = self.pending_bytes;
        // Nothing is begun above the limit: what is over it is at most the answers that were just being given.
        limits.max_queued_bytes = limits.max_queued_bytes.max(self.queued_bytes.saturating_mul(2));
        limits.max_metadata_entries = self.metadata_entries;
        limits.max_metadata_bytes = self.metadata_bytes;
        limits.max_opens = self.opens;
        limits.max_resets = self.resets;
        limits.idle_timeout = Some(self.idle_timeout);
        limits.keep_alive_interval = Some(self.ping_interval);
        limits.keep_alive_timeout = self.pong_timeout;
        limits
    }

    /// How many bytes of one stream are read before its connection is told. Far below half of a window, at which a
    /// client waits for credit; and all streams together keep back less than half of what may be pending.
    pub(crate) fn step(&self) -> usize {
        (self.stream_window / 4)
            .min(self.pending_bytes / 2 / self.streams)
            .max(1)
    }
}

/// The shortest limit on messages: a frame with metadata and an answer's status have to fit.
const SMALLEST_MESSAGE: usize = 512;

/// The shortest time between two pings, on either side: far enough from the ten in ten seconds of which a peer takes one
/// more for a flood that no delay on the way makes them look like it.
pub(crate) const SHORTEST_PING_INTERVAL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(limits: Limits) -> String {
        limits.check().expect_err("is refused").to_string()
    }

    #[test]
    fn limits_with_which_nothing_works_are_refused_with_the_field_and_the_least_value() {
        assert!(Limits::default().check().is_ok());
        let streams = Limits {
            streams: 0,
            ..Limits::default()
        };
        assert_eq!(
            problem(streams),
            "the limit `streams` is 0 and must be at least 1"
        );
        let window = Limits {
            stream_window: 1024,
            ..Limits::default()
        };
        assert_eq!(
            problem(window),
            "the limit `stream_window` is 1024 and must be at least 262144"
        );
        let windows = Limits {
            stream_window: 4 << 20,
            ..Limits::default()
        };
        assert!(problem(windows).starts_with("the limit `connection_window`"));
        let pending = Limits {
            body_bytes: 16 << 20,
            ..Limits::default()
        };
        assert!(problem(pending).starts_with("the limit `pending_bytes`"));
        let pings = Limits {
            ping_interval: Duration::from_millis(1_999),
            ..Limits::default()
        };
        assert_eq!(
            problem(pings),
            "the limit `ping_interval` is 1.999s and must be at least 2s, because clients take more than 10 pings in 10 s for \
             a flood"
        );
        let pongs = Limits {
            pong_timeout: Duration::ZERO,
            ..Limits::default()
        };
        assert_eq!(problem(pongs), "the limit `pong_timeout` is no time at all");
        let stalls = Limits {
            write_stall: Duration::MAX,
            ..Limits::default()
        };
        assert_eq!(
            problem(stalls),
            "the limit `write_stall` is longer than a hundred years: give it a time that ends"
        );
    }

    #[test]
    fn what_all_streams_keep_back_leaves_half_of_what_may_be_pending() {
        for streams in [1, 100, 10_000, 1_000_000] {
            let limits = Limits {
                streams,
                ..Limits::default()
            };
            assert!(limits.step() * streams <= limits.pending_bytes / 2 || limits.step() == 1);
            assert!(limits.step() <= limits.stream_window / 4);
        }
    }
}
