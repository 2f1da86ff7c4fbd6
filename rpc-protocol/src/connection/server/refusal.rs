//! What is answered without asking the application.

use crate::Code;

/// Why a request is answered without asking the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Draining,
    TooManyStreams,
    Streaming,
    Compression,
    Metadata,
    UnknownKind,
}

impl Refusal {
    pub(super) const fn status(self) -> (Code, &'static str) {
        match self {
            Self::Draining => (
                Code::Unavailable,
                "the server is going away; the call has not run",
            ),
            Self::TooManyStreams => (
                Code::ResourceExhausted,
                "too many calls at a time on this connection",
            ),
            Self::Streaming => (
                Code::Unimplemented,
                "streams and bodies in several frames are not served",
            ),
            Self::Compression => (Code::Unimplemented, "the compression is not served"),
            Self::Metadata => (Code::ResourceExhausted, "the metadata is over the limit"),
            Self::UnknownKind => (Code::Unimplemented, "the kind of frame is not served"),
        }
    }
}
