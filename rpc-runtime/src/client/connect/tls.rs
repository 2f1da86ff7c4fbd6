//! TLS, with rustls: `wss://`.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::{
    net::TcpStream,
    sync::Mutex,
    task::{self, JoinError},
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        AlertDescription, CertificateError, ClientConfig, Error, InvalidMessage, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
        sign::SingleCertAndKey,
    },
};

use super::certificate::TlsCertificate;
use crate::{
    client::error::{Refused, RefusedKind},
    tls::{PairText, TlsError},
};

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

/// What the program has said of TLS.
#[derive(Debug, Clone, Default)]
pub(in crate::client) struct TlsOptions {
    pub(in crate::client) roots: TlsRoots,
    pub(in crate::client) certificate: Option<TlsCertificate>,
}

/// How one server is spoken to.
pub(super) struct Tls {
    name: ServerName<'static>,
    shown: Arc<Shown>,
    /// As of the latest connection.
    spoken: Arc<Mutex<Option<Spoken>>>,
}

/// Who is trusted, and what is shown.
struct Shown {
    options: TlsOptions,
    /// Made when it is first needed: reading the system's authorities takes some milliseconds.
    trusted: OnceLock<Arc<RootCertStore>>,
}

/// What is spoken with, and the client's own certificate that it shows.
struct Spoken {
    config: Arc<ClientConfig>,
    shown: Option<PairText>,
}

impl Tls {
    /// # Errors
    ///
    /// When the host's name cannot stand in a certificate, or what was given is no certificate, or one without its key.
    pub(super) fn new(host: &str, options: &TlsOptions, url: &str) -> Result<Self, Refused> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| Refused::because(RefusedKind::BadUrl, url, error.to_string(), error))?;
        let shown = Shown {
            options: options.clone(),
            trusted: OnceLock::new(),
        };
        if let TlsRoots::Given(_) = options.roots {
            shown.trusted(url)?;
        }
        if let Some(certificate) = &options.certificate {
            certificate.check().map_err(|error| unusable(error, url))?;
        }
        Ok(Self {
            name,
            shown: Arc::new(shown),
            spoken: Arc::default(),
        })
    }

    /// What is spoken with on the next connection. What is read for that may take its time, as a file on another machine does.
    async fn config(&self, url: &str) -> Result<Arc<ClientConfig>, Refused> {
        // Who reads has it, also when nobody waits for that any more: one that hangs is not begun once more.
        let mut spoken = self.spoken.clone().lock_owned().await;
        if let Some(before) = spoken.as_ref()
            && self.shown.options.certificate.is_none()
        {
            return Ok(before.config.clone());
        }
        let (shown, of) = (self.shown.clone(), url.to_owned());
        let read = task::spawn_blocking(move || shown.config(&mut spoken, &of)).await;
        let (config, unusable) = read.map_err(|why| unread(&why, url))??;
        if let Some(refused) = unusable {
            tracing::warn!(%refused, "the client's new certificate cannot be used, and it shows the one before");
        }
        Ok(config)
    }

    /// Speaks TLS over a connection.
    pub(super) async fn handshake(
        &self,
        stream: TcpStream,
        url: &str,
    ) -> Result<TlsStream<TcpStream>, Refused> {
        TlsConnector::from(self.config(url).await?)
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| self.refused(error, url))
    }

    /// Why there is no TLS, in words where those of rustls do not say what to do.
    fn refused(&self, error: io::Error, url: &str) -> Refused {
        let of_certificate = match cause(&error) {
            Some(Error::AlertReceived(alert)) => {
                said_of_certificate(*alert, self.shown.options.certificate.is_some())
            }
            _ => None,
        };
        let (kind, why) = match of_certificate {
            Some(said) => (RefusedKind::ClientCertificate, said.to_owned()),
            None => (RefusedKind::Tls, why(&error)),
        };
        Refused::because(kind, url, format!("no TLS: {why}"), error)
    }

    /// The same of an error behind the handshake, where it is one of TLS: of a client's certificate a server says only then what it
    /// thinks (RFC 8446, section 4.4.2.4).
    pub(super) fn refused_behind(&self, error: io::Error, url: &str) -> Result<Refused, io::Error> {
        match cause(&error) {
            Some(_) => Ok(self.refused(error, url)),
            None => Err(error),
        }
    }
}

impl Shown {
    fn trusted(&self, url: &str) -> Result<Arc<RootCertStore>, Refused> {
        if let Some(trusted) = self.trusted.get() {
            return Ok(trusted.clone());
        }
        let refused = |text: String| Refused::new(RefusedKind::Tls, url, text);
        let mut store = RootCertStore::empty();
        match &self.options.roots {
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
        Ok(self.trusted.get_or_init(|| Arc::new(store)).clone())
    }

    /// What is spoken with, where it was `spoken` until now; and why it still is, where it should be something else.
    fn config(
        &self,
        spoken: &mut Option<Spoken>,
        url: &str,
    ) -> Result<(Arc<ClientConfig>, Option<Refused>), Refused> {
        let shown = self.options.certificate.as_ref().map(TlsCertificate::read);
        let made = match (shown.transpose(), spoken.as_ref()) {
            (Ok(shown), Some(before)) if before.shown == shown => return Ok((before.config.clone(), None)),
            (Ok(shown), _) => self.make(shown, url),
            (Err(error), _) => Err(unusable(error, url)),
        };
        match made {
            Ok(made) => Ok((spoken.insert(made).config.clone(), None)),
            Err(refused) => {
                let Some(before) = spoken.as_ref() else {
                    return Err(refused);
                };
                Ok((before.config.clone(), Some(refused)))
            }
        }
    }

    fn make(&self, shown: Option<PairText>, url: &str) -> Result<Spoken, Refused> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Refused::new(RefusedKind::Tls, url, error.to_string()))?
            .with_root_certificates(self.trusted(url)?);
        let mut config = match &shown {
            Some(pair) => {
                let certified = pair.certified().map_err(|error| unusable(error, url))?;
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified)))
            }
            None => builder.with_no_client_auth(),
        };
        // The upgrade to WebSocket is one of HTTP/1.1.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Spoken {
            config: Arc::new(config),
            shown,
        })
    }
}

/// Nobody has read the certificates to the end.
fn unread(error: &JoinError, url: &str) -> Refused {
    let why = match error.is_panic() {
        true => "reading them panicked, and the program's error output says where",
        false => "the program is about to end",
    };
    let text = format!("its certificates could not be read: {why}");
    Refused::new(RefusedKind::Tls, url, text)
}

fn unusable(error: TlsError, url: &str) -> Refused {
    Refused::because(RefusedKind::ClientCertificate, url, error.to_string(), error)
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// What a server says of the client's certificate by an alert.
fn said_of_certificate(alert: AlertDescription, was_shown: bool) -> Option<&'static str> {
    Some(match alert {
        AlertDescription::CertificateRequired if was_shown => {
            "the server asks for a certificate of the client's own of another kind than it has"
        }
        AlertDescription::CertificateRequired => {
            "the server asks for a certificate of the client's own, and it has none to show"
        }
        _ if !was_shown => return None,
        // Of an authority that has the right name and another key, the signature does not fit.
        AlertDescription::UnknownCA
        | AlertDescription::DecryptError
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            "the server does not take the client's certificate: it is from nobody who is trusted there"
        }
        AlertDescription::CertificateExpired => {
            "the server does not take the client's certificate: it has expired, or is not valid yet"
        }
        AlertDescription::CertificateRevoked => {
            "the server does not take the client's certificate: it was revoked"
        }
        AlertDescription::UnsupportedCertificate => {
            "the server does not take the client's certificate: it is not for clients (extendedKeyUsage=clientAuth)"
        }
        _ => return None,
    })
}

/// Why a handshake failed.
fn why(error: &io::Error) -> String {
    match cause(error) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_reads_certificates_and_panics_is_not_taken_for_a_program_that_ends() {
        let panics = task::spawn_blocking(|| panic!("of the test")).await;
        let ends = task::spawn(std::future::pending::<()>());
        ends.abort();
        let told = |error: JoinError| unread(&error, "wss://example.com").to_string();
        let (panicked, ended) = (told(panics.unwrap_err()), told(ends.await.unwrap_err()));
        assert!(
            panicked.contains("panicked") && !panicked.contains("about to end"),
            "{panicked}"
        );
        assert!(ended.contains("about to end"), "{ended}");
    }
}
