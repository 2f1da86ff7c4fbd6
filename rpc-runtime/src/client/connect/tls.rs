//! TLS, with rustls: `wss://`.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::client::error::{Refused, RefusedKind};

/// Whom a client trusts to vouch for the server of a `wss://` URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsRoots {
    /// The authorities that the operating system trusts.
    #[default]
    System,
    /// These and no others: certificates in DER, or one or more in PEM.
    Given(Vec<Vec<u8>>),
}

/// How one server is spoken to.
pub(super) struct Tls {
    name: ServerName<'static>,
    /// Made when it is first needed: reading the system's authorities takes some milliseconds.
    config: OnceLock<Arc<ClientConfig>>,
    roots: TlsRoots,
}

impl Tls {
    /// # Errors
    ///
    /// When the host's name cannot stand in a certificate, or what was given is no certificate.
    pub(super) fn new(host: &str, roots: &TlsRoots, url: &str) -> Result<Self, Refused> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Refused::because(RefusedKind::BadUrl, url, error.to_string(), error))?;
        let tls = Self {
            name,
            config: OnceLock::new(),
            roots: roots.clone(),
        };
        if let TlsRoots::Given(_) = roots {
            tls.config(url)?;
        }
        Ok(tls)
    }

    fn config(&self, url: &str) -> Result<Arc<ClientConfig>, Refused> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let refused = |text: String| Refused::new(RefusedKind::Tls, url, text);
        let mut store = RootCertStore::empty();
        match &self.roots {
            TlsRoots::System => {
                let found = rustls_native_certs::load_native_certs();
                store.add_parsable_certificates(found.certs);
                if store.is_empty() {
                    let why = found.errors.first().map(ToString::to_string).unwrap_or_default();
                    return Err(refused(format!(
                        "the system has no certificate authorities that it trusts {why}"
                    )));
                }
            }
            TlsRoots::Given(given) => {
                for certificate in given.iter().flat_map(|given| certificates(given)) {
                    certificate
                        .and_then(|certificate| store.add(certificate).map_err(|error| error.to_string()))
                        .map_err(|why| refused(format!("a given root is no certificate: {why}")))?;
                }
                if store.is_empty() {
                    return Err(refused(
                        "no roots were given, so that no server is trusted".to_owned(),
                    ));
                }
            }
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(error.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        // The upgrade to WebSocket is one of HTTP/1.1.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(self.config.get_or_init(|| Arc::new(config)).clone())
    }

    /// Speaks TLS over a connection.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        url: &str,
    ) -> Result<TlsStream<TcpStream>, Refused> {
        TlsConnector::from(self.config(url)?)
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| {
                let text = format!("no TLS: {}", why(&error));
                Refused::because(RefusedKind::Tls, url, text, error)
            })
    }
}

/// Why a handshake failed: in words where those of rustls do not say what to do.
fn why(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            "what answers there speaks none; the URL of a server without begins with ws://".to_owned()
        }
        // Of a root that has the right name and another key, the signature does not fit.
        Some(Error::InvalidCertificate(
            CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. },
        )) => "the server's certificate is from nobody who is trusted here".to_owned(),
        // An error of webpki, which rustls has no name for.
        Some(Error::InvalidCertificate(CertificateError::Other(other)))
            if other.to_string() == "CaUsedAsEndEntity" =>
        {
            "the server shows an authority's certificate as its own; it needs one with \
             basicConstraints=CA:FALSE"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

/// The certificates of one file, as DER or PEM.
fn certificates(given: &[u8]) -> Vec<Result<CertificateDer<'static>, String>> {
    const PEM: &[u8] = b"-----BEGIN";
    if given.windows(PEM.len()).any(|window| window == PEM) {
        CertificateDer::pem_slice_iter(given)
            .map(|certificate| certificate.map_err(|error| error.to_string()))
            .collect()
    } else {
        vec![Ok(CertificateDer::from(given.to_vec()))]
    }
}
