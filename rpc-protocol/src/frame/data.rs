//! Data: a further message of a stream, or a further part of a large one.

use bytes::Bytes;

use super::Compression;
use super::fields::{BodyField, Bool, CompressionField, message};

message! {
    /// A message of a stream, or a part of one. Sent by either side.
    #[derive(Debug)]
    pub struct Data {
        /// Whether the message continues in the stream's next data frame.
        more: bool as Bool = 1,
        /// How the whole message is compressed, said in its first frame.
        compression: Compression as CompressionField = 2,
        /// The encoded message, or a part of it.
        body: Bytes as BodyField = 15,
    }
}
