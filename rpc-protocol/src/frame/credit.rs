//! A credit: the receiver can take more bytes.

use super::fields::{Uint64, message};

message! {
    /// Widens the window of the stream or, on stream 0, of the connection.
    #[derive(Debug, Copy, Eq)]
    pub struct Credit {
        /// Bytes of bodies that the receiver has consumed.
        bytes: u64 as Uint64 = 1,
    }
}
