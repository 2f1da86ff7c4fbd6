//! What is published, and a stream of it.

#![allow(
    unreachable_pub,
    reason = "generated traits and gateways are public, and name these in public"
)]

use futures_util::Stream;
use rpc_runtime::{Status, bytes::Bytes, contract};

/// An event of 100 bytes. Its last 18 bytes are the two numbers, wherever it travels: a subscriber finds them without
/// knowing what stands in front.
#[contract(package = "feed", event)]
#[derive(Clone)]
pub struct Tick {
    /// Fills it.
    pub payload: Bytes,
    /// Counts from 1.
    #[field(proto = "fixed64")]
    pub number: u64,
    /// When it was published, by the machine's monotonic clock, in nanoseconds.
    #[field(proto = "fixed64")]
    pub published_ns: u64,
}

/// Asks for everything that is published.
#[contract(package = "feed")]
pub struct Watch {}

/// Events as a server's stream.
#[contract(package = "feed")]
pub trait Feed {
    /// Gives every event from now on.
    async fn watch(&self, watch: Watch) -> Result<impl Stream<Item = Result<Tick, Status>>, Status>;
}
