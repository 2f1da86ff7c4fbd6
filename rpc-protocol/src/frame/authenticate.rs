//! Authenticate: the client proves who it is, again or anew.

use std::fmt;

use bytes::Bytes;

use super::fields::{Blob, Int32, Repeated, Text, Uint64, message};
use super::metadata::Metadata;

message! {
    /// Proves who the client is. Sent by the client; answered by an [`Identity`](super::Identity).
    ///
    /// `Debug` hides the credential, and the values of what goes with it, of which some may be secrets as well.
    pub struct Authenticate {
        /// Chosen by the client, comes back in the identity that answers.
        request_id: u64 as Uint64 = 1,
        /// Such as `bearer` or `password`.
        scheme: String as Text = 2,
        /// Secret.
        credential: Bytes as Blob = 3,
        /// What goes with the credential.
        metadata: Vec<Metadata> as Repeated<Metadata> = 4,
        /// The number of an [`AuthenticationPurpose`].
        purpose: i32 as Int32 = 5,
    }
}

/// What an authentication is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthenticationPurpose {
    /// Authenticate an anonymous connection, or refresh the identity of the same user.
    Refresh = 0,
    /// Become another user.
    ChangeUser = 1,
    /// Go back to anonymous; without a credential.
    SignOut = 2,
}

impl AuthenticationPurpose {
    /// The purpose of a number, or `None` for a number that this version does not know.
    #[must_use]
    pub const fn from_i32(number: i32) -> Option<Self> {
        Some(match number {
            0 => Self::Refresh,
            1 => Self::ChangeUser,
            2 => Self::SignOut,
            _ => return None,
        })
    }
}

impl fmt::Debug for Authenticate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.metadata.iter().map(|pair| &pair.key).collect();
        f.debug_struct("Authenticate")
            .field("request_id", &self.request_id)
            .field("scheme", &self.scheme)
            .field("metadata", &keys)
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
