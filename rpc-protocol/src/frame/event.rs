//! An event: something was published in a channel.

use bytes::Bytes;

use super::Compression;
use super::fields::{BodyField, CompressionField, Fixed64, Text, Uint64, message};

message! {
    /// Something was published in a channel. Sent by the server, on stream 0: the same bytes serve every subscriber.
    #[derive(Debug)]
    pub struct Event {
        /// The channel's number, told when the client subscribed; 0: see `channel_name`.
        channel: u64 as Uint64 = 1,
        /// The channel's name, where it has no number.
        channel_name: String as Text = 2,
        /// Position in the channel, from 1 within an epoch; 0: the channel keeps no history.
        offset: u64 as Uint64 = 3,
        /// Of the channel's history; another epoch means that offsets began anew.
        epoch: u64 as Fixed64 = 4,
        /// The full name of the message in the body (`type` on the wire).
        type_name: String as Text = 5,
        /// Unique; the publisher's idempotency key where it gave one.
        id: String as Text = 6,
        /// When it was published: microseconds since the Unix epoch, by the server's clock.
        time_us: u64 as Uint64 = 7,
        /// The client that published, where the channel tells.
        client_id: String as Text = 8,
        /// The user that published, where the channel tells.
        user_id: String as Text = 9,
        /// How the body is compressed.
        compression: Compression as CompressionField = 10,
        /// The event, encoded.
        body: Bytes as BodyField = 15,
    }
}
