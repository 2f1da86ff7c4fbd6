//! Limits: what one side accepts, and how it counts a peer's misbehaviour.

use std::time::Duration;

use crate::frame::AnnouncedLimits;

/// The span in which floods and faults are counted, told in steps of a second: an event counts for 9 to 10 seconds.
pub const COUNTING_SPAN: Duration = Duration::from_secs(10);

/// What one side of a connection accepts. Everything is finite by default.
///
/// ```
/// let mut limits = rpc_protocol::Limits::default();
/// limits.max_streams = 1_000;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest WebSocket message that is accepted, in bytes: 1 MiB. The IO side enforces it, from the header,
    /// before anything is buffered (close 1009).
    pub max_message_bytes: usize,
    /// The same before authentication, where that is required: 16 KiB.
    pub max_unauthenticated_message_bytes: usize,
    /// Streams that may be open at a time: 100. One more is answered RESOURCE_EXHAUSTED.
    pub max_streams: usize,
    /// The window that each stream begins with, in bytes: 256 KiB.
    pub stream_window_bytes: usize,
    /// The window that the connection begins with, in bytes: 1 MiB.
    pub connection_window_bytes: usize,
    /// Longer bodies are split into frames of this many bytes: 128 KiB.
    pub max_frame_body_bytes: usize,
    /// Metadata pairs of one frame: 128. More is answered RESOURCE_EXHAUSTED.
    pub max_metadata_entries: usize,
    /// Bytes of keys and values of one frame's metadata: 16 KiB. More is answered RESOURCE_EXHAUSTED.
    pub max_metadata_bytes: usize,
    /// How long the peer may be silent before it is sent a ping: 25 s. `None`: for ever.
    pub keep_alive_interval: Option<Duration>,
    /// How long it may then stay silent before it counts as gone: 10 s.
    pub keep_alive_timeout: Duration,
    /// Pings in [`COUNTING_SPAN`]: 10. One more closes with 4429.
    pub max_pings: u32,
    /// Faults of the peer's own making in [`COUNTING_SPAN`]: 32. One more closes with 4429.
    pub max_faults: u32,
    /// Refused streams in [`COUNTING_SPAN`] that close with 4429: 1,000.
    pub max_refused_streams: u32,
    /// Resets in [`COUNTING_SPAN`]: 200. More, where they are more than half of the opens, closes with 4429.
    pub max_resets: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 1 << 20,
            max_unauthenticated_message_bytes: 16 << 10,
            max_streams: 100,
            stream_window_bytes: 256 << 10,
            connection_window_bytes: 1 << 20,
            max_frame_body_bytes: 128 << 10,
            max_metadata_entries: 128,
            max_metadata_bytes: 16 << 10,
            keep_alive_interval: Some(Duration::from_secs(25)),
            keep_alive_timeout: Duration::from_secs(10),
            max_pings: 10,
            max_faults: 32,
            max_refused_streams: 1_000,
            max_resets: 200,
        }
    }
}

impl Limits {
    /// What is told to the peer of these limits.
    #[must_use]
    pub fn announced(&self) -> AnnouncedLimits {
        AnnouncedLimits {
            max_message_bytes: self.max_message_bytes as u64,
            max_streams: self.max_streams as u64,
            stream_window_bytes: self.stream_window_bytes as u64,
            connection_window_bytes: self.connection_window_bytes as u64,
            max_frame_body_bytes: self.max_frame_body_bytes as u64,
            max_metadata_entries: self.max_metadata_entries as u64,
            max_metadata_bytes: self.max_metadata_bytes as u64,
            max_opens: 0,
            max_resets: u64::from(self.max_resets),
            idle_timeout_us: 0,
        }
    }
}

/// What the peer accepts: the defaults, until its greeting says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerLimits {
    /// The longest WebSocket message that the peer accepts, in bytes.
    pub max_message_bytes: usize,
    /// Streams that may be open at a time.
    pub max_streams: usize,
}

impl Default for PeerLimits {
    fn default() -> Self {
        let defaults = Limits::default();
        Self {
            max_message_bytes: defaults.max_message_bytes,
            max_streams: defaults.max_streams,
        }
    }
}

impl PeerLimits {
    /// The limits that a peer announced.
    #[must_use]
    pub fn of(announced: &AnnouncedLimits) -> Self {
        let or = |value: u64, default: usize| match value {
            0 => default,
            value => usize::try_from(value).unwrap_or(usize::MAX),
        };
        let defaults = Self::default();
        Self {
            max_message_bytes: or(announced.max_message_bytes, defaults.max_message_bytes),
            max_streams: or(announced.max_streams, defaults.max_streams),
        }
    }
}
