//! A reset: one side gives a stream up.

use super::fields::{Int32, message};

message! {
    /// Gives a stream up: from the client, nothing more is to be sent for it; from the server, it reads no more.
    #[derive(Debug, Copy, Eq)]
    pub struct Reset {
        /// Why, as a `google.rpc.Code`; mostly CANCELLED.
        code: i32 as Int32 = 1,
    }
}
