//! Go-away: the sender is about to leave.

use super::fields::{Text, Uint64, message};

message! {
    /// Announces a drain: no new streams, running ones finish.
    #[derive(Debug)]
    pub struct GoAway {
        /// Streams above this one have not been and will not be run.
        last_stream_id: u64 as Uint64 = 1,
        /// Microseconds that running streams may take.
        grace_us: u64 as Uint64 = 2,
        /// Microseconds: come back after a random time between this and twice this.
        return_after_us: u64 as Uint64 = 3,
        /// For people.
        reason: String as Text = 4,
    }
}
