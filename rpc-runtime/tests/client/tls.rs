//! `wss://`.

use std::{net::SocketAddr, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rpc_runtime::{CallError, Client, ClientBuilder, Limits, Refused, RefusedKind, TlsRoots};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use crate::service::{call, desk, note};

/// An authority, and a server with a certificate of its.
struct Secured {
    addr: SocketAddr,
    root: rcgen::Certificate,
}

async fn secured() -> Secured {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    Secured {
        addr: serve(&certificate, &key).await,
        root: authority.as_ref().clone(),
    }
}

/// A server that shows a certificate.
async fn serve(certificate: &rcgen::Certificate, key: &KeyPair) -> SocketAddr {
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (server, _) = desk(Limits::default());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server) = (acceptor.clone(), server.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let io = hyper_util::rt::TokioIo::new(stream);
                let service = hyper_util::service::TowerToHyperService::new(server);
                let http = hyper::server::conn::http1::Builder::new();
                let _ = http.serve_connection(io, service).with_upgrades().await;
            });
        }
    });
    addr
}

impl Secured {
    fn client(&self, host: &str, roots: TlsRoots) -> ClientBuilder {
        Client::builder(format!("wss://{host}:{}/rpc", self.addr.port())).tls_roots(roots)
    }
}

async fn refused(client: ClientBuilder) -> Refused {
    match client.connect().await {
        Err(CallError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

async fn refusal(client: ClientBuilder) -> RefusedKind {
    refused(client).await.kind()
}

#[tokio::test]
async fn an_authority_that_is_its_own_server_is_told_so() {
    // What `openssl req -x509` makes where nothing else is asked for.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&key).unwrap();
    let server = Secured {
        addr: serve(&root, &key).await,
        root,
    };
    let given = TlsRoots::Given(vec![server.root.der().to_vec()]);
    let refused = refused(server.client("localhost", given)).await;
    assert_eq!(refused.kind(), RefusedKind::Tls);
    assert!(
        refused.to_string().contains("an authority's certificate"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_is_trusted_by_the_roots_that_were_given_as_pem_or_der() {
    let server = secured().await;
    let roots = [server.root.pem().into_bytes(), server.root.der().to_vec()];
    for root in roots {
        let client = server.client("localhost", TlsRoots::Given(vec![root]));
        let client = client.connect().await.unwrap();
        for number in 0..20 {
            assert_eq!(call(&client, "Echo", &note(number)).await.unwrap(), note(number));
        }
        let large = call(&client, "Large", &note(3_000_000)).await.unwrap();
        assert_eq!(large.blob.len(), 3_000_000);
    }
}

#[tokio::test]
async fn an_authority_that_was_not_given_is_not_trusted_nor_another_name() {
    let (server, other) = (secured().await, secured().await);
    let strange = TlsRoots::Given(vec![other.root.der().to_vec()]);
    assert_eq!(
        refusal(server.client("localhost", strange)).await,
        RefusedKind::Tls
    );
    let given = TlsRoots::Given(vec![server.root.der().to_vec()]);
    assert_eq!(refusal(server.client("127.0.0.1", given)).await, RefusedKind::Tls);
    let system = server.client("localhost", TlsRoots::System);
    assert_eq!(refusal(system).await, RefusedKind::Tls);
}

#[tokio::test]
async fn roots_that_are_none_are_told_when_the_client_is_made() {
    for given in [vec![], vec![b"no certificate".to_vec()]] {
        let client = Client::builder("wss://localhost/rpc").tls_roots(TlsRoots::Given(given));
        match client.lazy() {
            Err(CallError::Refused(refused)) => assert_eq!(refused.kind(), RefusedKind::Tls),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_refused() {
    let (server, _) = desk(Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve_with_listener(listener, std::future::pending()).await });
    let root = secured().await.root.der().to_vec();
    let client = Client::builder(format!("wss://localhost:{}/rpc", addr.port()));
    let client = client.tls_roots(TlsRoots::Given(vec![root]));
    let refused = refused(client).await;
    assert_eq!(refused.kind(), RefusedKind::Tls);
    assert!(refused.to_string().contains("ws://"), "{refused}");
}
