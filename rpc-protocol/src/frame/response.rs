//! A response: the first answer to a request, and the only one of a unary call that went well.

use bytes::Bytes;

use super::Compression;
use super::fields::{BodyField, Bool, CompressionField, Repeated, message};
use super::metadata::Metadata;

message! {
    /// Answers a request. Sent by the server.
    #[derive(Debug)]
    pub struct Response {
        /// Initial metadata.
        metadata: Vec<Metadata> as Repeated<Metadata> = 1,
        /// Whether data frames and an end follow; otherwise this frame ends the call with OK.
        open: bool as Bool = 2,
        /// Whether the body continues in [`Data`](super::Data) frames.
        more: bool as Bool = 3,
        /// How the body is compressed.
        compression: Compression as CompressionField = 4,
        /// Trailing metadata, of a response that ends the call.
        trailers: Vec<Metadata> as Repeated<Metadata> = 5,
        /// The encoded response message.
        body: Bytes as BodyField = 15,
    }
}
