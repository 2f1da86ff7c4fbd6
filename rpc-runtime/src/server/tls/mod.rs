//! TLS in the standalone server, with rustls: certificates from PEM, exchanged while connections live.

mod accept;
mod load;

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tokio_rustls::rustls::ServerConfig;

use crate::tls::{Pair, TlsError};

/// How often files are looked at, where nothing else is said.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// With which certificate a standalone server speaks TLS; see [`ServerBuilder::tls`](crate::ServerBuilder::tls).
///
/// Cloning is cheap, and all clones are one: a clone that the program keeps can [`reload`](Self::reload) what the server
/// speaks with. Connections that are open stay as they are; new ones get the new certificate.
///
/// ```no_run
/// use rpc_runtime::{Server, ServerTls};
///
/// let tls = ServerTls::from_pem_files("certificate.pem", "key.pem");
/// let server = Server::builder().tls(tls);
/// # let _ = server;
/// ```
#[derive(Clone)]
pub struct ServerTls {
    source: Pair,
    client_ca: Option<Bytes>,
    check_every: Duration,
    /// What is spoken with; `None` until a server is built.
    active: Arc<ArcSwapOption<ServerConfig>>,
    /// The files as they were before they were read the last time.
    seen: Arc<Mutex<Stamps>>,
}

impl ServerTls {
    /// From two files in PEM: the server's certificate followed by those that lead to its authority, and its private key
    /// (PKCS #8, PKCS #1 or SEC 1, without a password). They are read when the server is built, and again whenever they
    /// change: see [`check_every`](Self::check_every).
    pub fn from_pem_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        Self::new(Pair::Files {
            certificate: certificate.as_ref().to_owned(),
            key: key.as_ref().to_owned(),
        })
    }

    /// The same, from the contents of such files.
    pub fn from_pem(certificate: impl Into<Bytes>, key: impl Into<Bytes>) -> Self {
        Self::new(Pair::Given {
            certificate: certificate.into(),
            key: key.into(),
        })
    }

    fn new(source: Pair) -> Self {
        Self {
            source,
            client_ca: None,
            check_every: CHECK_EVERY,
            active: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// Lets only clients connect that have a certificate of one of these authorities, in PEM. What a client has is in
    /// [`TlsInfo::peer_certificates`](crate::TlsInfo::peer_certificates), for authenticators and guards to look at. A client of this
    /// crate shows one by [`ClientBuilder::tls_certificate`](crate::ClientBuilder::tls_certificate).
    #[must_use]
    pub fn client_ca(mut self, authorities: impl Into<Bytes>) -> Self {
        self.client_ca = Some(authorities.into());
        self
    }

    /// Sets how often files are looked at for changes while the server runs; every 5 s without. A new file that cannot be
    /// used is told in the log, and the server goes on with the certificate that it has.
    #[must_use]
    pub fn check_every(mut self, time: Duration) -> Self {
        self.check_every = time;
        self
    }

    /// Reads the files again, at once. It blocks for as long as that takes.
    ///
    /// # Errors
    ///
    /// When they cannot be used; the server goes on with the certificate that it has.
    pub fn reload(&self) -> Result<(), TlsError> {
        // Looked at before they are read: what is written meanwhile is a change of its own.
        if let Pair::Files { certificate, key } = &self.source {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = stamps(certificate, key);
        }
        let config = load::load(&self.source, self.client_ca.as_ref())?;
        self.active.store(Some(Arc::new(config)));
        Ok(())
    }

    /// Looks at the files from time to time, for ever, and reloads them when they have changed.
    pub(super) async fn watch(&self) {
        let Pair::Files { certificate, key } = &self.source else {
            return std::future::pending().await;
        };
        loop {
            tokio::time::sleep(self.check_every.max(Duration::from_millis(1))).await;
            let (certificate, key) = (certificate.clone(), key.clone());
            let Ok(now) = tokio::task::spawn_blocking(move || stamps(&certificate, &key)).await else {
                continue;
            };
            if now == *self.seen.lock().unwrap_or_else(PoisonError::into_inner) {
                continue;
            }
            let tls = self.clone();
            match tokio::task::spawn_blocking(move || tls.reload()).await {
                Ok(Ok(())) => tracing::info!("the TLS certificate was reloaded"),
                Ok(Err(error)) => tracing::error!(
                    %error,
                    "the new TLS certificate cannot be used, and the old one stays; it is tried again when a file changes"
                ),
                Err(error) if error.is_panic() => tracing::error!(
                    "reading the new TLS certificate panicked, and the old one stays; it is tried again when a file changes"
                ),
                // The runtime is shutting down. To end would end the server.
                Err(_) => return std::future::pending().await,
            }
        }
    }
}

/// What tells one state of the files from another: times and lengths, as far as there are any.
type Stamps = [Option<(SystemTime, u64)>; 2];

fn stamps(certificate: &Path, key: &Path) -> Stamps {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [stamp(certificate), stamp(key)]
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("ServerTls");
        if let Pair::Files { certificate, key } = &self.source {
            shown.field("certificate", certificate).field("key", key);
        }
        shown.finish_non_exhaustive()
    }
}
