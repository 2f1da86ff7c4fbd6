//! An end: of a call, with its status, or of what a client sends.

use super::fields::{Nested, Repeated, message};
use super::metadata::Metadata;
use super::status::Status;

message! {
    /// Ends a call (from the server), or half-closes it (from the client, without a status).
    #[derive(Debug)]
    pub struct End {
        /// How the call ended. Absent is OK.
        status: Option<Status> as Nested<Status> = 1,
        /// Trailing metadata.
        trailers: Vec<Metadata> as Repeated<Metadata> = 2,
    }
}

impl End {
    /// An end with a code and a text, and nothing else.
    pub fn new(code: crate::Code, message: impl Into<String>) -> Self {
        Self {
            status: Some(Status::new(code, message)),
            trailers: Vec::new(),
        }
    }
}
