//! A certificate and its private key: where they are, what stands there, and whether they belong together.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio_rustls::rustls::{
    Error, InconsistentKeys,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    sign::CertifiedKey,
};

use super::TlsError;

/// Where a certificate, with those that lead to its authority, and its key are.
#[derive(Clone)]
pub(crate) enum Pair {
    Files { certificate: PathBuf, key: PathBuf },
    Given { certificate: Bytes, key: Bytes },
}

impl Pair {
    /// What stands there now. It blocks for as long as reading takes.
    pub(crate) fn read(&self) -> Result<PairText, TlsError> {
        Ok(match self {
            Self::Files { certificate, key } => PairText {
                certificate: Pem::read(certificate)?,
                key: Pem::read(key)?,
            },
            Self::Given { certificate, key } => PairText {
                certificate: Pem::given(certificate, "the given certificate"),
                key: Pem::given(key, "the given key"),
            },
        })
    }
}

/// A certificate and a key as they were read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PairText {
    certificate: Pem,
    key: Pem,
}

impl PairText {
    /// Checks that they belong together.
    pub(crate) fn certified(&self) -> Result<CertifiedKey, TlsError> {
        let (chain, key) = (self.certificate.certificates()?, self.key.key()?);
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::KeyMismatch {
                certificate: self.certificate.origin.clone(),
                key: self.key.origin.clone(),
            },
            Error::InvalidCertificate(error) => self.certificate.malformed(error),
            error => self.key.malformed(error),
        })
    }

    /// Nothing can be spoken with it.
    pub(crate) fn unusable(&self, problem: impl ToString) -> TlsError {
        self.certificate.malformed(problem)
    }
}

/// A text in PEM and what to call it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pem {
    text: Bytes,
    origin: String,
}

impl Pem {
    fn read(path: &Path) -> Result<Self, TlsError> {
        let origin = path.display().to_string();
        match std::fs::read(path) {
            Ok(text) => Ok(Self {
                text: text.into(),
                origin,
            }),
            Err(source) => Err(TlsError::Read { origin, source }),
        }
    }

    pub(crate) fn given(text: &Bytes, what: &str) -> Self {
        Self {
            text: text.clone(),
            origin: what.to_owned(),
        }
    }

    pub(crate) fn malformed(&self, problem: impl ToString) -> TlsError {
        TlsError::Malformed {
            origin: self.origin.clone(),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(&self.text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.malformed(error))?;
        match certificates.is_empty() {
            true => Err(TlsError::NoCertificate {
                origin: self.origin.clone(),
            }),
            false => Ok(certificates),
        }
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.text).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey {
                origin: self.origin.clone(),
            },
            error => self.malformed(error),
        })
    }
}
