//! An acknowledgement: what has arrived for good.

use super::fields::{Bool, Fixed64, Uint64, message};

message! {
    /// Says what has arrived for good. Sent by either side.
    #[derive(Debug)]
    pub struct Acknowledgement {
        /// Sequenced frames received since the session began.
        received_frames: u64 as Uint64 = 1,
        /// The number of a channel of which events were received.
        channel: u64 as Uint64 = 2,
        /// Up to where they were received.
        offset: u64 as Uint64 = 3,
        /// Which history `offset` belongs to.
        epoch: u64 as Fixed64 = 4,
        /// The resume token of the last greeting or identity is stored; its predecessor may be forgotten.
        resume_token: bool as Bool = 5,
    }
}
