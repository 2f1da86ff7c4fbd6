//! What may be wrong with certificates and keys.

use std::io;

/// Why a certificate, or what belongs to it, cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {origin}: {source}; check the path and who may read it")]
    Read {
        /// The file.
        origin: String,
        /// What the operating system says.
        source: io::Error,
    },
    /// There is no certificate in it.
    #[error(
        "{origin} holds no certificate: it has to hold one, followed by those that lead to its authority, in PEM \
         (`-----BEGIN CERTIFICATE-----`)"
    )]
    NoCertificate {
        /// The file.
        origin: String,
    },
    /// There is no private key in it.
    #[error(
        "{origin} holds no private key that can be read: it has to hold one in PEM without a password (`openssl pkey -in \
         … -out …` takes the password away)"
    )]
    NoKey {
        /// The file.
        origin: String,
    },
    /// What is in it is none.
    #[error("{origin} cannot be used: {problem}; replace it by a valid one in PEM")]
    Malformed {
        /// The file.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The key is another certificate's.
    #[error(
        "the key in {key} does not belong to the certificate in {certificate}: give the two that were made together"
    )]
    KeyMismatch {
        /// The certificate's file.
        certificate: String,
        /// The key's file.
        key: String,
    },
}
