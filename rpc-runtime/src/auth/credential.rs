//! What a client shows to be known.

use std::fmt;

use bytes::Bytes;

use crate::Metadata;

/// What a client shows to be known: a scheme, a secret, and what goes with it.
///
/// `Debug` hides the secret, and the values of what goes with it.
#[derive(Clone)]
pub struct Credential {
    scheme: String,
    secret: Bytes,
    metadata: Metadata,
}

impl Credential {
    /// A secret of a scheme, such as `password` or `session`. Schemes are compared without regard to case, and are kept
    /// in lower case.
    pub fn new(scheme: impl Into<String>, secret: impl Into<Bytes>) -> Self {
        let mut scheme = scheme.into();
        scheme.make_ascii_lowercase();
        Self {
            scheme,
            secret: secret.into(),
            metadata: Metadata::default(),
        }
    }

    /// A token, of the scheme `bearer`.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::new("bearer", token.into())
    }

    /// Adds what goes with the secret, such as a user's name. See [`Metadata::insert`] for the key.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(key, value);
        self
    }

    pub(crate) fn with_all_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The secret.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// The secret as text, where it is text.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.secret).ok()
    }

    /// What goes with the secret.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(crate) fn secret_bytes(&self) -> &Bytes {
        &self.secret
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.scheme)
            .field("metadata", &self.metadata.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_the_secret_nor_what_goes_with_it_is_shown_by_debug() {
        let credential = Credential::new("Password", "hunter2").with_metadata("one-time-code", "314159");
        let shown = format!("{credential:?}");
        assert!(
            shown.contains("password") && shown.contains("one-time-code"),
            "{shown}"
        );
        assert!(!shown.contains("hunter2") && !shown.contains("314159"), "{shown}");
    }
}
