//! Metadata: keys and values that go with a call.

use std::fmt;

use bytes::Bytes;

use super::fields::{Blob, Text, message};

message! {
    /// A key with a text or a binary value. A list of them may hold a key several times.
    ///
    /// `Debug` hides the values of `authorization`, `cookie` and `set-cookie`.
    pub struct Metadata {
        /// Lower case. Keys that end in `-bin` carry `binary`, others `value`.
        key: String as Text = 1,
        /// The value, as text.
        value: String as Text = 2,
        /// The value, as bytes.
        binary: Bytes as Blob = 3,
    }
}

impl Metadata {
    /// A pair with a text value.
    pub fn text(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            binary: Bytes::new(),
        }
    }

    /// A pair with a binary value; the key is to end in `-bin`.
    pub fn binary(key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Self {
            key: key.into(),
            value: String::new(),
            binary: value.into(),
        }
    }

    /// The bytes that count against a limit on metadata: those of key and values.
    #[must_use]
    pub fn size(&self) -> usize {
        self.key.len() + self.value.len() + self.binary.len()
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Metadata");
        out.field("key", &self.key);
        let secret = ["authorization", "cookie", "set-cookie"];
        if secret.iter().any(|secret| self.key.eq_ignore_ascii_case(secret)) {
            out.finish_non_exhaustive()
        } else {
            out.field("value", &self.value)
                .field("binary", &self.binary)
                .finish()
        }
    }
}
