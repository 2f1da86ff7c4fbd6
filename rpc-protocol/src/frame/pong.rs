//! A pong: says that the sender is there.

use super::fields::{Fixed64, message};

message! {
    /// Answers a [`Ping`](super::Ping). Several pings that wait for an answer may get one.
    #[derive(Debug, Copy, Eq)]
    pub struct Pong {
        /// The payload of the earliest ping that was waiting.
        payload: u64 as Fixed64 = 1,
    }
}
