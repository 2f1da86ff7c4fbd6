//! A certificate of the client's own.

use std::{fmt, path::Path};

use bytes::Bytes;

use crate::tls::{Pair, PairText, TlsError};

/// A certificate of the client's own, which it shows to servers that ask for one; see
/// [`ClientBuilder::tls_certificate`](crate::ClientBuilder::tls_certificate).
///
/// ```no_run
/// use rpc_runtime::{Client, TlsCertificate, TlsError};
///
/// # fn client() -> Result<Client, Box<dyn std::error::Error>> {
/// let certificate = TlsCertificate::from_pem_files("certificate.pem", "key.pem");
/// let client = Client::builder("wss://example.com/rpc")
///     .tls_certificate(certificate)
///     .lazy()?;
/// # Ok(client)
/// # }
/// ```
#[derive(Clone)]
pub struct TlsCertificate(Pair);

impl TlsCertificate {
    /// From two files in PEM: the client's certificate followed by those that lead to its authority, and its private key
    /// (PKCS #8, PKCS #1 or SEC 1, without a password). They are read when the client is made, and again for each connection: one that
    /// was replaced meanwhile is shown on the next. Where the new one cannot be used, that is told in the log, and the one before is
    /// shown.
    pub fn from_pem_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        Self(Pair::Files {
            certificate: certificate.as_ref().to_owned(),
            key: key.as_ref().to_owned(),
        })
    }

    /// The same, from the contents of such files.
    pub fn from_pem(certificate: impl Into<Bytes>, key: impl Into<Bytes>) -> Self {
        Self(Pair::Given {
            certificate: certificate.into(),
            key: key.into(),
        })
    }

    /// Reads it, and checks that the key belongs to it, as a client does that is made with it. It blocks for as long as reading takes.
    ///
    /// # Errors
    ///
    /// When it cannot be read or used, with what to do.
    pub fn check(&self) -> Result<(), TlsError> {
        self.read()?.certified().map(drop)
    }

    /// As it is now.
    pub(super) fn read(&self) -> Result<PairText, TlsError> {
        self.0.read()
    }
}

/// Without the key.
impl fmt::Debug for TlsCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TlsCertificate");
        if let Pair::Files { certificate, key } = &self.0 {
            shown.field("certificate", certificate).field("key", key);
        }
        shown.finish_non_exhaustive()
    }
}
