//! The ids of traces and spans: bytes that are not all zero, written as lower-case hexadecimal digits.

use std::fmt;

use crate::random;

/// Declares an id of so many bytes.
macro_rules! id {
    ($(#[$docs:meta])* $name:ident, $bytes:literal) => {
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The id with these bytes; `None` when all are zero, which no id is.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                let mut at = 0;
                while at < $bytes {
                    if bytes[at] != 0 {
                        return Some(Self(bytes));
                    }
                    at += 1;
                }
                None
            }

            /// The id's bytes.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $bytes] {
                self.0
            }

            /// Reads lower-case hexadecimal digits, exactly as many as the id has.
            pub(super) fn parse(digits: &[u8]) -> Option<Self> {
                let mut bytes = [0; $bytes];
                if digits.len() != 2 * $bytes {
                    return None;
                }
                for (byte, digits) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = hex_byte(digits)?;
                }
                Self::from_bytes(bytes)
            }

            /// A new one.
            pub(super) fn random() -> Self {
                loop {
                    if let Some(id) = Self::from_bytes(random::bytes()) {
                        return id;
                    }
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id! {
    /// Names a trace: everything that one first request brought about, in all programs.
    TraceId, 16
}

id! {
    /// Names a span: one piece of work in a trace, such as one call.
    SpanId, 8
}

/// The byte that two lower-case hexadecimal digits stand for.
pub(super) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    match digits {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}
