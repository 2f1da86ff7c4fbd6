//! How often a peer pings.

use rpc_protocol::COUNTING_SPAN;
use tokio::time::Instant;

/// WebSocket pings of the peer. Those that are frames of ours are counted by the protocol, by the same measure.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    began: Option<Instant>,
    count: u32,
}

impl Pings {
    /// Counts one; whether it is one that `limits` allow.
    pub(crate) fn allows(&mut self, now: Instant, most: u32) -> bool {
        if self.began.is_none_or(|began| now >= began + COUNTING_SPAN) {
            *self = Self {
                began: Some(now),
                count: 0,
            };
        }
        self.count += 1;
        self.count <= most
    }
}
