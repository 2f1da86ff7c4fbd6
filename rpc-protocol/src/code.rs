//! Status codes: how a call ended.

use std::fmt;

/// How a call ended: `google.rpc.Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Code {
    /// It went well.
    Ok = 0,
    /// The caller gave it up.
    Cancelled = 1,
    /// An error that says no more; also every number that is not defined.
    Unknown = 2,
    /// The request is wrong, whatever the state of the system.
    InvalidArgument = 3,
    /// The deadline passed; the call may have run.
    DeadlineExceeded = 4,
    /// What was asked for does not exist.
    NotFound = 5,
    /// What was to be made exists already.
    AlreadyExists = 6,
    /// The caller is known and may not do this.
    PermissionDenied = 7,
    /// A limit, a quota or a size is exceeded.
    ResourceExhausted = 8,
    /// The system is not in the state that the call needs.
    FailedPrecondition = 9,
    /// The call lost against another one at the same time.
    Aborted = 10,
    /// Past the end of what is there.
    OutOfRange = 11,
    /// The method does not exist, or is not served here.
    Unimplemented = 12,
    /// Something broke that should not.
    Internal = 13,
    /// Not now; the same call may go well later.
    Unavailable = 14,
    /// Data is lost or broken for good.
    DataLoss = 15,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl Code {
    /// Every code, in the order of the numbers.
    pub const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The code of a number; [`Code::Unknown`] where none is defined.
    #[must_use]
    pub const fn from_i32(number: i32) -> Self {
        if number >= 0 && (number as usize) < Self::ALL.len() {
            Self::ALL[number as usize]
        } else {
            Self::Unknown
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn as_i32(self) -> i32 {
        self as i32
    }

    /// The name in the definition, such as `NOT_FOUND`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::InvalidArgument => "INVALID_ARGUMENT",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::FailedPrecondition => "FAILED_PRECONDITION",
            Self::Aborted => "ABORTED",
            Self::OutOfRange => "OUT_OF_RANGE",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::DataLoss => "DATA_LOSS",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_has_its_number_and_unknown_numbers_are_unknown() {
        for (number, code) in (0..).zip(Code::ALL) {
            assert_eq!((code.as_i32(), Code::from_i32(number)), (number, code));
        }
        for number in [-1, 17, i32::MIN, i32::MAX] {
            assert_eq!(Code::from_i32(number), Code::Unknown);
        }
    }
}
