//! From PEM to a configuration of rustls.

use std::sync::Arc;

use bytes::Bytes;
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::SingleCertAndKey,
};

use crate::tls::{Pair, Pem, TlsError};

/// Reads what there is to read, and checks that it belongs together.
pub(super) fn load(source: &Pair, client_ca: Option<&Bytes>) -> Result<ServerConfig, TlsError> {
    let pair = source.read()?;
    let certified = pair.certified()?;
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| pair.unusable(error))?;
    let builder = match client_ca {
        Some(authorities) => builder.with_client_cert_verifier(verifier(authorities)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    // The upgrade to WebSocket is one of HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn verifier(authorities: &Bytes) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
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
