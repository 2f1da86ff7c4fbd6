//! Identity: who the client is from now on, or why an authentication was refused.

use std::fmt;

use super::fields::{Bool, Nested, Text, Uint64, message};
use super::status::Status;

message! {
    /// Who the client is from now on. Sent by the server.
    ///
    /// `Debug` hides the resume token.
    pub struct Identity {
        /// Of the [`Authenticate`](super::Authenticate) that this answers; 0 where the server speaks on its own.
        request_id: u64 as Uint64 = 1,
        /// Why the authentication was refused; absent where it was not. The identity below is in force either way.
        status: Option<Status> as Nested<Status> = 2,
        /// Empty: anonymous.
        user_id: String as Text = 3,
        /// Microseconds from now until the identity ends; 0: never.
        expires_in_us: u64 as Uint64 = 4,
        /// The identity ends soon: authenticate again.
        expires_soon: bool as Bool = 5,
        /// The token for the next resume, where it changed with the identity. Secret.
        resume_token: String as Text = 6,
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("request_id", &self.request_id)
            .field("status", &self.status)
            .field("user_id", &self.user_id)
            .field("expires_in_us", &self.expires_in_us)
            .field("expires_soon", &self.expires_soon)
            .finish_non_exhaustive()
    }
}
