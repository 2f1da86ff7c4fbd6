//! Limits: what one side accepts, and how it counts a peer's misbehaviour.

use std::time::Duration;

use crate::frame::{AnnouncedLimits, Compression, Greeting, Metadata};

/// The span in which floods and faults are counted, told in steps of a second: an event counts for 9 to 10 seconds.
pub const COUNTING_SPAN: Duration = Duration::from_secs(10);

/// The longest message that a client sends which the server has to know and does not: what [`Limits`] have by default.
pub(crate) const UNAUTHENTICATED_MESSAGE_BYTES: usize = 16 << 10;

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
    /// The window that each stream begins with, in bytes: 256 KiB. Less counts as that much, because a peer may send
    /// so much before it has read the greeting.
    pub stream_window_bytes: usize,
    /// The window that the connection begins with, in bytes: 1 MiB. Less counts as that much.
    pub connection_window_bytes: usize,
    /// Longer bodies are to be split into frames of this many bytes: 128 KiB. Longer frames are taken nevertheless, up
    /// to [`max_message_bytes`](Self::max_message_bytes).
    pub max_frame_body_bytes: usize,
    /// A whole body put together, as it is on the wire: 4 MiB. More is answered RESOURCE_EXHAUSTED.
    pub max_body_bytes: usize,
    /// What is held of bodies that came and were not consumed, of all streams together: 16 MiB. The connection's window
    /// closes near it. Bodies that are not whole may take half of it; the call that brings more is answered
    /// RESOURCE_EXHAUSTED. Less than two of the connection's windows counts as that much.
    pub max_pending_bytes: usize,
    /// What may wait inside for being sent, of all streams together: 64 MiB. A response or message that would bring
    /// more is not sent, as if it were over the peer's limit.
    pub max_queued_bytes: usize,
    /// The compressions of bodies that are accepted, told in the greeting: DEFLATE. Others are answered UNIMPLEMENTED.
    pub compressions: &'static [Compression],
    /// Metadata pairs of one frame: 128. More is answered RESOURCE_EXHAUSTED.
    pub max_metadata_entries: usize,
    /// Bytes of keys and values of one frame's metadata: 16 KiB. More is answered RESOURCE_EXHAUSTED.
    pub max_metadata_bytes: usize,
    /// How long the peer may be silent before it is sent a ping: 25 s. `None`: for ever.
    pub keep_alive_interval: Option<Duration>,
    /// How long it may then stay silent before it counts as gone: 10 s.
    pub keep_alive_timeout: Duration,
    /// How long a connection may be of no use before a server closes it with 1001: 24 h. It is of use while a stream is
    /// open, and for every message but pings and pongs. It lasts at most twice as long. `None`: for ever.
    pub idle_timeout: Option<Duration>,
    /// Pings in [`COUNTING_SPAN`]: 10. One more closes with 4429.
    pub max_pings: u32,
    /// Faults of the peer's own making in [`COUNTING_SPAN`]: 32. One more closes with 4429.
    pub max_faults: u32,
    /// Refused streams in [`COUNTING_SPAN`] that close with 4429: 1,000.
    pub max_refused_streams: u32,
    /// Resets in [`COUNTING_SPAN`]: 200. More, where they are more than half of the opens, closes with 4429.
    pub max_resets: u32,
    /// Streams opened in [`COUNTING_SPAN`]: 20,000,000. More are answered RESOURCE_EXHAUSTED.
    pub max_opens: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_bytes: 1 << 20,
            max_unauthenticated_message_bytes: UNAUTHENTICATED_MESSAGE_BYTES,
            max_streams: 100,
            stream_window_bytes: 256 << 10,
            connection_window_bytes: 1 << 20,
            max_frame_body_bytes: 128 << 10,
            max_body_bytes: 4 << 20,
            max_pending_bytes: 16 << 20,
            max_queued_bytes: 64 << 20,
            compressions: &[Compression::DEFLATE],
            max_metadata_entries: 128,
            max_metadata_bytes: 16 << 10,
            keep_alive_interval: Some(Duration::from_secs(25)),
            keep_alive_timeout: Duration::from_secs(10),
            idle_timeout: Some(Duration::from_secs(24 * 60 * 60)),
            max_pings: 10,
            max_faults: 32,
            max_refused_streams: 1_000,
            max_resets: 200,
            max_opens: 20_000_000,
        }
    }
}

impl Limits {
    /// What is told to the peer of these limits.
    #[must_use]
    pub fn announced(&self) -> AnnouncedLimits {
        let defaults = Self::default();
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        AnnouncedLimits {
            max_message_bytes: self.max_message_bytes as u64,
            max_streams: self.max_streams as u64,
            stream_window_bytes: self.stream_window_bytes.max(defaults.stream_window_bytes) as u64,
            connection_window_bytes: self.connection_window_bytes.max(defaults.connection_window_bytes)
                as u64,
            max_frame_body_bytes: self.max_frame_body_bytes as u64,
            max_metadata_entries: self.max_metadata_entries as u64,
            max_metadata_bytes: self.max_metadata_bytes as u64,
            max_opens: u64::from(self.max_opens),
            max_resets: u64::from(self.max_resets),
            idle_timeout_us: self.idle_timeout.map_or(0, micros),
            max_body_bytes: self.max_body_bytes as u64,
            max_pending_bytes: self.max_held() as u64,
        }
    }

    /// Whether a frame may carry this metadata.
    pub(crate) fn allow(&self, metadata: &[Metadata]) -> bool {
        metadata.len() <= self.max_metadata_entries
            && metadata.iter().map(Metadata::size).sum::<usize>() <= self.max_metadata_bytes
    }

    /// [`max_pending_bytes`](Self::max_pending_bytes), as it counts.
    pub(crate) fn max_held(&self) -> usize {
        let defaults = PeerLimits::default();
        let window = self.connection_window_bytes.max(defaults.connection_window_bytes);
        self.max_pending_bytes.max(window.saturating_mul(2))
    }
}

/// No part of a body is to be shorter, but the last: a peer that wants it in single bytes would have each cost it fifty.
const SMALLEST_PART: usize = 1 << 10;

/// What the peer accepts: the defaults, until its greeting says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerLimits {
    /// The longest WebSocket message that the peer accepts, in bytes.
    pub max_message_bytes: usize,
    /// Streams that may be open at a time.
    pub max_streams: usize,
    /// The window that each stream begins with, in bytes.
    pub stream_window_bytes: usize,
    /// The window that the connection begins with, in bytes.
    pub connection_window_bytes: usize,
    /// Longer bodies are split into frames of this many bytes.
    pub max_frame_body_bytes: usize,
    /// The longest body, in bytes.
    pub max_body_bytes: usize,
    /// Whether the peer reads bodies compressed with [`Compression::DEFLATE`].
    pub deflate: bool,
}

impl Default for PeerLimits {
    fn default() -> Self {
        Self {
            max_message_bytes: 1 << 20,
            max_streams: 100,
            stream_window_bytes: 256 << 10,
            connection_window_bytes: 1 << 20,
            max_frame_body_bytes: 128 << 10,
            max_body_bytes: 4 << 20,
            deflate: false,
        }
    }
}

impl PeerLimits {
    /// What a peer announced in its greeting.
    #[must_use]
    pub fn of(greeting: &Greeting) -> Self {
        let or = |value: u64, default: usize| match value {
            0 => default,
            value => usize::try_from(value).unwrap_or(usize::MAX),
        };
        let defaults = Self::default();
        let deflate = greeting.compressions.contains(&Compression::DEFLATE);
        let Some(announced) = &greeting.limits else {
            return Self { deflate, ..defaults };
        };
        Self {
            max_message_bytes: or(announced.max_message_bytes, defaults.max_message_bytes),
            max_streams: or(announced.max_streams, defaults.max_streams),
            // Never less than what may have been sent before the greeting was read.
            stream_window_bytes: or(announced.stream_window_bytes, 0).max(defaults.stream_window_bytes),
            connection_window_bytes: or(announced.connection_window_bytes, 0)
                .max(defaults.connection_window_bytes),
            max_frame_body_bytes: or(announced.max_frame_body_bytes, defaults.max_frame_body_bytes)
                .max(SMALLEST_PART),
            max_body_bytes: or(announced.max_body_bytes, defaults.max_body_bytes),
            deflate,
        }
    }

    /// The longest body that leaves in one frame, where there are no other fields.
    pub(crate) fn whole_body(&self) -> usize {
        self.part_beside(0).min(self.max_body_bytes)
    }

    /// Whether a body can be sent beside so many bytes of other fields.
    pub(crate) fn fits_in_parts(&self, body: usize, fields: usize) -> bool {
        fields <= self.max_message_bytes && self.part_beside(fields) >= body.min(SMALLEST_PART)
    }

    /// How much of a body fits one frame, beside so many bytes of other fields and the frame's own.
    pub(crate) fn part_beside(&self, fields: usize) -> usize {
        /// Stream id, kind and lengths take at most so much.
        const HEAD: usize = 64;
        self.max_message_bytes
            .saturating_sub(HEAD + fields)
            .min(self.max_frame_body_bytes)
    }
}
