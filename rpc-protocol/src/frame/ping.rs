//! A ping: asks whether the peer is there.

use super::fields::{Fixed64, message};

message! {
    /// Asks for a [`Pong`](super::Pong).
    #[derive(Debug, Copy, Eq)]
    pub struct Ping {
        /// Comes back in the pong.
        payload: u64 as Fixed64 = 1,
    }
}
