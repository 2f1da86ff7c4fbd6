//! A request: opens a stream and calls a method.

use bytes::Bytes;

use super::Compression;
use super::fields::{BodyField, Bool, CompressionField, Fixed64, Repeated, Text, Uint64, message};
use super::metadata::Metadata;

message! {
    /// Opens a stream and calls a method. Sent by the client.
    #[derive(Debug)]
    pub struct Request {
        /// [`method_number`](crate::method_number) of the method's full name; 0: see `method_name`.
        method: u64 as Fixed64 = 1,
        /// The method's full name, read where `method` is 0.
        method_name: String as Text = 2,
        /// What goes with the call.
        metadata: Vec<Metadata> as Repeated<Metadata> = 3,
        /// Microseconds left until the caller's deadline; 0: none.
        timeout_us: u64 as Uint64 = 4,
        /// Whether the client goes on sending.
        open: bool as Bool = 5,
        /// Whether the body continues in [`Data`](super::Data) frames.
        more: bool as Bool = 6,
        /// How the body is compressed.
        compression: Compression as CompressionField = 7,
        /// Whether nothing is to be sent back.
        one_way: bool as Bool = 8,
        /// The encoded request message.
        body: Bytes as BodyField = 15,
    }
}
