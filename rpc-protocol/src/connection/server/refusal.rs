//! What is answered without asking the application.

use crate::Code;
use crate::connection::inbound::Unwanted;

/// Why a request is answered without asking the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Draining,
    TooManyStreams,
    TooManyOpens,
    TooLong,
    TooMuchInTheMaking,
    Compression,
    Metadata,
    MethodName,
    UnknownKind,
    Unauthenticated,
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
            Self::TooManyOpens => (
                Code::ResourceExhausted,
                "too many calls in a short time on this connection",
            ),
            Self::TooLong => (Code::ResourceExhausted, "the body is over the limit"),
            Self::TooMuchInTheMaking => (
                Code::ResourceExhausted,
                "too many bodies in several frames at a time on this connection",
            ),
            Self::Compression => (Code::Unimplemented, "the compression is not served"),
            Self::Metadata => (Code::ResourceExhausted, "the metadata is over the limit"),
            Self::MethodName => (Code::Unimplemented, "no method has so long a name"),
            Self::Unauthenticated => (
                Code::Unauthenticated,
                "this is for authenticated clients: authenticate first",
            ),
            Self::UnknownKind => (Code::Unimplemented, "the kind of frame is not served"),
        }
    }
}

impl From<Unwanted> for Refusal {
    fn from(unwanted: Unwanted) -> Self {
        match unwanted {
            Unwanted::TooLong => Self::TooLong,
            Unwanted::TooMuchInTheMaking => Self::TooMuchInTheMaking,
            Unwanted::Metadata => Self::Metadata,
            Unwanted::Compression => Self::Compression,
        }
    }
}
