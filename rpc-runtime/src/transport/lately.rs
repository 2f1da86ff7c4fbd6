//! How often something happened lately.

use rpc_protocol::COUNTING_SPAN;
use tokio::time::Instant;

/// Counts what a peer does that the protocol does not see, such as WebSocket's own pings, by the same measure.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    began: Option<Instant>,
    count: u32,
}

impl Lately {
    /// Counts one; whether there were no more than `most` of late, with it.
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
