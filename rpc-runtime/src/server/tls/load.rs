//! From PEM to a configuration of rustls.

use std::{borrow::Cow, path::Path, sync::Arc};

use tokio_rustls::rustls::{
    Error, InconsistentKeys, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{Source, TlsError};

/// A text in PEM and what to call it.
struct Pem<'a> {
    text: Cow<'a, [u8]>,
    origin: String,
}

impl<'a> Pem<'a> {
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

    fn given(text: &'a [u8], what: &str) -> Self {
        Self {
            text: text.into(),
            origin: what.to_owned(),
        }
    }

    fn malformed(&self, problem: impl ToString) -> TlsError {
        TlsError::Malformed {
            origin: self.origin.clone(),
            problem: problem.to_string(),
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
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

/// Reads what there is to read, and checks that it belongs together.
pub(super) fn load(source: &Source, client_ca: Option<&[u8]>) -> Result<ServerConfig, TlsError> {
    let (certificate, key) = match source {
        Source::Files { certificate, key } => (Pem::read(certificate)?, Pem::read(key)?),
        Source::Given { certificate, key } => (
            Pem::given(certificate, "the given certificate"),
            Pem::given(key, "the given key"),
        ),
    };
    let (chain, secret) = (certificate.certificates()?, key.key()?);
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate.malformed(error))?;
    let builder = match client_ca {
        Some(authorities) => builder.with_client_cert_verifier(verifier(authorities)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, secret)
        .map_err(|error| match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::KeyMismatch {
                certificate: certificate.origin.clone(),
                key: key.origin.clone(),
            },
            Error::InvalidCertificate(error) => certificate.malformed(error),
            error => key.malformed(error),
        })?;
    // The upgrade to WebSocket is one of HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let authorities = Pem::given(authorities, "the given authority of clients");
    let mut store = RootCertStore::empty();
    for authority in authorities.certificates()? {
        store
            .add(authority)
            .map_err(|error| authorities.malformed(error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(store), Arc::new(ring::default_provider()))
        .build()
        .map_err(|error| authorities.malformed(error))
}
