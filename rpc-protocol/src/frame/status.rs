//! A status: the outcome of a call, in the shape of `google.rpc.Status`.

use bytes::Bytes;

use super::fields::{Blob, Int32, Repeated, Text, message};
use crate::Code;

message! {
    /// The outcome of a call.
    #[derive(Debug)]
    pub struct Status {
        /// A `google.rpc.Code`; see [`Status::code`].
        code: i32 as Int32 = 1,
        /// For people; not to be parsed.
        message: String as Text = 2,
        /// For programs.
        details: Vec<Any> as Repeated<Any> = 3,
    }
}

message! {
    /// Any message, with its type: the same shape as `google.protobuf.Any`.
    #[derive(Debug)]
    pub struct Any {
        /// Ends in `/` and the full name of the message's type.
        type_url: String as Text = 1,
        /// The encoded message.
        value: Bytes as Blob = 2,
    }
}

impl Status {
    /// A status without details.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code: code.as_i32(),
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// The code; [`Code::Unknown`] where the number is none of those defined.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::from_i32(self.code)
    }
}
