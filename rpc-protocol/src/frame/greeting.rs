//! A greeting: introduces one side to the other.

use std::fmt;

use super::Compression;
use super::fields::{Bool, Compressions, Nested, Repeated, Text, Uint64, message};
use super::metadata::Metadata;

message! {
    /// Introduces one side to the other. (S) marks what only a server says.
    ///
    /// `Debug` hides the resume token.
    pub struct Greeting {
        /// What the sender accepts.
        limits: Option<AnnouncedLimits> as Nested<AnnouncedLimits> = 1,
        /// The compressions that the sender can read.
        compressions: Vec<Compression> as Compressions = 2,
        /// (S) The client's public name on this server; never a credential.
        client_id: String as Text = 3,
        /// (S) Who the client is, empty while anonymous.
        user_id: String as Text = 4,
        /// (S) Calls are refused until the client authenticates.
        authentication_required: bool as Bool = 5,
        /// (S) Microseconds left for that, after which the connection is closed.
        authenticate_within_us: u64 as Uint64 = 6,
        /// (S) Microseconds that a side may be silent before the other sends a ping.
        heartbeat_interval_us: u64 as Uint64 = 7,
        /// (S) Microseconds that a pong may take before the peer counts as gone.
        heartbeat_timeout_us: u64 as Uint64 = 8,
        /// (S) Microseconds since the Unix epoch.
        server_time_us: u64 as Uint64 = 9,
        /// (S) The channel that only this client hears.
        own_channel: String as Text = 10,
        /// From a client: the session to go on with. From a server: the token for the next resume. Secret.
        resume_token: String as Text = 11,
        /// (S) The session that the client asked for goes on.
        resumed: bool as Bool = 12,
        /// (S) Microseconds after a disconnect for which the token is good.
        resume_within_us: u64 as Uint64 = 13,
        /// Sequenced frames that the sender has received in the session to be resumed.
        received_frames: u64 as Uint64 = 14,
        /// Facts about the sender, such as its program and version.
        metadata: Vec<Metadata> as Repeated<Metadata> = 15,
        /// (S) Microseconds from now until the identity ends; 0: never.
        identity_expires_in_us: u64 as Uint64 = 16,
        /// The sender keeps up to so many bytes of its frames of calls that are not acknowledged, so that streams go on over a
        /// resume, where both sides say so; 0: it does not.
        replay_bytes: u64 as Uint64 = 17,
        /// (S) The streams of the resumed session go on.
        streams_resumed: bool as Bool = 18,
        /// From a client: sequenced frames up to this one cannot be sent again.
        replay_after: u64 as Uint64 = 19,
        /// (S) So many direct events follow that were sent before, on a connection of the session that was lost.
        events_again: u64 as Uint64 = 20,
    }
}

message! {
    /// What one side lets the other do. 0: the protocol's default.
    #[derive(Debug)]
    pub struct AnnouncedLimits {
        /// The longest WebSocket message that is accepted, in bytes; where authentication is required, of what comes behind a
        /// credential that is accepted, and 16 KiB before.
        max_message_bytes: u64 as Uint64 = 1,
        /// Streams that may be open at a time.
        max_streams: u64 as Uint64 = 2,
        /// The window that each stream begins with, in bytes.
        stream_window_bytes: u64 as Uint64 = 3,
        /// The window that the connection begins with, in bytes.
        connection_window_bytes: u64 as Uint64 = 4,
        /// Longer bodies are to be split into frames of this many bytes.
        max_frame_body_bytes: u64 as Uint64 = 5,
        /// Metadata pairs of one frame.
        max_metadata_entries: u64 as Uint64 = 6,
        /// Bytes of keys and values of one frame's metadata together.
        max_metadata_bytes: u64 as Uint64 = 7,
        /// Streams opened in 10 s.
        max_opens: u64 as Uint64 = 8,
        /// Streams reset in 10 s, where they are more than half of those opened.
        max_resets: u64 as Uint64 = 9,
        /// Microseconds: a connection on which nothing happens for so long is closed.
        idle_timeout_us: u64 as Uint64 = 10,
        /// A whole body put together, in bytes.
        max_body_bytes: u64 as Uint64 = 11,
        /// Bytes of bodies that are held until the application has consumed them.
        max_pending_bytes: u64 as Uint64 = 12,
    }
}

impl fmt::Debug for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Greeting")
            .field("limits", &self.limits)
            .field("compressions", &self.compressions)
            .field("client_id", &self.client_id)
            .field("user_id", &self.user_id)
            .field("authentication_required", &self.authentication_required)
            .field("heartbeat_interval_us", &self.heartbeat_interval_us)
            .field("server_time_us", &self.server_time_us)
            .field("resumed", &self.resumed)
            .field("streams_resumed", &self.streams_resumed)
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}
