//! TLS on the standalone server's own port.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rpc_runtime::{
    CallError, Client, Reconnect, RefusedKind, Server, ServerBuilder, ServerLimits, ServerTls, StartError,
    TlsError, TlsInfo, TlsRoots,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use crate::{
    authenticating::{self, Words},
    handshake::{exchange, listen, listen_as},
    probe::{ProbeGateway, call, order, until},
    raw::Log,
};

/// Signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub(crate) struct Certified {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("an authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.as_ref().pem()
    }

    pub(crate) fn certify(&self, name: &str) -> Certified {
        self.sign(CertificateParams::new(vec![name.to_owned()]).unwrap())
    }

    pub(crate) fn sign(&self, params: CertificateParams) -> Certified {
        let key = KeyPair::generate().unwrap();
        Certified {
            certificate: params.signed_by(&key, &self.0).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}

impl Certified {
    pub(crate) fn tls(&self) -> ServerTls {
        ServerTls::from_pem(self.certificate.clone(), self.key.clone())
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        CertificateDer::from_pem_slice(self.certificate.as_bytes())
            .unwrap()
            .to_vec()
    }

    pub(crate) fn write(&self, folder: &Path) {
        std::fs::write(folder.join("certificate.pem"), &self.certificate).unwrap();
        std::fs::write(folder.join("key.pem"), &self.key).unwrap();
    }
}

fn probe() -> ServerBuilder {
    Server::builder().service(ProbeGateway::default())
}

async fn connect(addr: SocketAddr, authority: &Authority) -> Result<Client, CallError> {
    Client::builder(format!("wss://localhost:{}/rpc", addr.port()))
        .tls_roots(TlsRoots::Given(vec![authority.pem().into_bytes()]))
        .reconnect(Reconnect::never())
        .connect()
        .await
}

/// TLS by hand: with a certificate of the client's own, if it has one.
pub(crate) async fn speak_tls(
    addr: SocketAddr,
    authority: &Authority,
    own: Option<&Certified>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let root = authority.pem();
    roots
        .add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        Some(own) => {
            let chain = vec![CertificateDer::from(own.der())];
            let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The certificate that new connections get.
async fn served(addr: SocketAddr, authority: &Authority) -> Vec<u8> {
    let stream = speak_tls(addr, authority, None).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

const UPGRADE: &str = "GET /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                       Sec-WebSocket-Protocol: rpc.v1\r\n";

#[tokio::test]
async fn clients_that_trust_the_authority_connect_and_others_do_not() {
    let (authority, other) = (Authority::new(), Authority::new());
    let tls = authority.certify("localhost").tls();
    let (server, addr, _stop) = listen_as(probe().tls(tls)).await;
    let client = connect(addr, &authority).await.unwrap();
    let large = crate::probe::Order {
        blob: vec![5; 900_000].into(),
        ..order("large")
    };
    assert_eq!(call(&client, "Echo", &large).await.unwrap(), large);
    match connect(addr, &other).await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.kind(), RefusedKind::Tls),
        other => panic!("{other:?}"),
    }
    assert_eq!(server.connections(), 1);
    server.shutdown().await;
    assert_eq!(
        client.closed().await.close_code(),
        rpc_runtime::CloseCode::Restart
    );
}

#[tokio::test]
async fn what_tls_came_to_is_known_with_the_certificates_of_clients() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let words = Words::default();
    let tls = authority.certify("localhost").tls().client_ca(clients.pem());
    let (_server, addr, _stop) = listen_as(authenticating::builder(&words).tls(tls)).await;
    let own = clients.certify("client.example");
    let mut stream = speak_tls(addr, &authority, Some(&own)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let request = format!("{UPGRADE}Authorization: Bearer good\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    let session = words.sessions.lock().unwrap()[0].clone();
    let tls: &TlsInfo = session.info().tls().unwrap();
    assert_eq!(tls.version.as_deref(), Some("TLSv1.3"));
    assert!(
        tls.cipher_suite
            .as_ref()
            .is_some_and(|suite| suite.starts_with("TLS13_")),
        "{tls:?}"
    );
    assert_eq!(tls.server_name.as_deref(), Some("localhost"));
    assert_eq!(tls.peer_certificates, [own.der()]);

    // Without a certificate, or with one of another authority, nothing is answered.
    let strange = authority.certify("client.example");
    for own in [None, Some(&strange)] {
        let answered = async {
            let mut stream = speak_tls(addr, &authority, own).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_exact(&mut [0; 1]).await
        };
        assert!(answered.await.is_err(), "{}", own.is_some());
    }
    assert_eq!(words.sessions.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn new_connections_get_a_reloaded_certificate_and_open_ones_live_on() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (authority.certify("localhost"), authority.certify("localhost"));
    first.write(folder.path());
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let tls = ServerTls::from_pem_files(&certificate, &key).check_every(Duration::from_secs(3_600));
    let (_server, addr, _stop) = listen_as(probe().tls(tls.clone())).await;
    let client = connect(addr, &authority).await.unwrap();
    assert_eq!(served(addr, &authority).await, first.der());

    second.write(folder.path());
    assert_eq!(
        served(addr, &authority).await,
        first.der(),
        "not before it is reloaded"
    );
    tls.reload().unwrap();
    assert_eq!(served(addr, &authority).await, second.der());

    // What cannot be used changes nothing.
    std::fs::write(&key, &first.key).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::KeyMismatch { .. })));
    std::fs::write(&key, "no key").unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::NoKey { .. })));
    std::fs::remove_file(&certificate).unwrap();
    assert!(matches!(tls.reload(), Err(TlsError::Read { .. })));
    assert_eq!(served(addr, &authority).await, second.der());
    assert_eq!(
        call(&client, "Echo", &order("milk")).await.unwrap(),
        order("milk")
    );
}

#[tokio::test]
async fn files_that_change_are_reloaded_and_broken_ones_are_told_in_the_log() {
    let (log, _guard) = Log::capture();
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (authority.certify("localhost"), authority.certify("localhost"));
    first.write(folder.path());
    let (certificate, key) = (
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let tls = ServerTls::from_pem_files(&certificate, &key).check_every(Duration::from_millis(10));
    let limits = ServerLimits {
        connects_per_address: rpc_runtime::Rate::per_second(1_000_000),
        ..ServerLimits::default()
    };
    let (_server, addr, _stop) = listen_as(probe().server_limits(limits).tls(tls)).await;
    assert_eq!(served(addr, &authority).await, first.der());
    std::fs::write(&key, "half a key").unwrap();
    until("the broken key is told", || {
        log.text().contains("the old one stays")
    })
    .await;
    assert!(log.text().contains("key.pem"), "{}", log.text());
    assert_eq!(served(addr, &authority).await, first.der());
    second.write(folder.path());
    until("the new certificate is there", || {
        log.text().contains("was reloaded")
    })
    .await;
    for _ in 0..500 {
        if served(addr, &authority).await == second.der() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the certificate is not the new one");
}

#[tokio::test]
async fn files_that_change_between_the_building_of_a_server_and_its_serving_are_reloaded_too() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (authority.certify("localhost"), authority.certify("localhost"));
    first.write(folder.path());
    let tls = ServerTls::from_pem_files(
        folder.path().join("certificate.pem"),
        folder.path().join("key.pem"),
    );
    let limits = ServerLimits {
        connects_per_address: rpc_runtime::Rate::per_second(1_000_000),
        ..ServerLimits::default()
    };
    let server = probe().server_limits(limits);
    let server = server
        .tls(tls.check_every(Duration::from_millis(10)))
        .build()
        .unwrap();
    second.write(folder.path());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        server.serve_with_listener(listener, std::future::pending()).await;
    });
    for _ in 0..500 {
        if served(addr, &authority).await == second.der() {
            serving.abort();
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the certificate is not the new one");
}

#[test]
fn a_server_whose_certificate_cannot_be_used_does_not_start_and_says_what_to_do() {
    let authority = Authority::new();
    let (good, other) = (authority.certify("localhost"), authority.certify("localhost"));
    let pem = |certificate: &str, key: &str| ServerTls::from_pem(certificate.to_owned(), key.to_owned());
    let missing = ServerTls::from_pem_files("/nowhere/certificate.pem", "/nowhere/key.pem");
    for (tls, text) in [
        (missing, "cannot read /nowhere/certificate.pem"),
        (pem("", &good.key), "the given certificate holds no certificate"),
        (
            pem(&good.certificate, &good.certificate),
            "the given key holds no private key",
        ),
        (
            pem(&good.certificate, &other.key),
            "does not belong to the certificate",
        ),
        (
            pem(
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                &good.key,
            ),
            "the given certificate cannot be used",
        ),
        (
            good.tls().client_ca("nonsense"),
            "the given authority of clients holds no certificate",
        ),
    ] {
        let error = probe().tls(tls).build().unwrap_err();
        assert!(matches!(error, StartError::Tls(_)), "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[tokio::test]
async fn plain_http_to_a_port_of_tls_is_told_so() {
    let tls = Authority::new().certify("localhost").tls();
    let (_server, addr, _stop) = listen_as(probe().tls(tls)).await;
    let answer = exchange(addr, &format!("{UPGRADE}\r\n")).await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("wss://"),
        "{answer}"
    );
    assert_eq!(exchange(addr, "\u{1}\u{2}").await, "");
}

#[tokio::test]
async fn tls_to_a_plain_port_ends_at_once() {
    let (log, _guard) = Log::capture();
    let (_server, addr, _stop) = listen(ServerLimits {
        handshake_timeout: Duration::from_secs(3_600),
        ..ServerLimits::default()
    })
    .await;
    assert!(speak_tls(addr, &Authority::new(), None).await.is_err());
    assert!(log.text().contains("wss://"), "{}", log.text());
}

#[tokio::test]
async fn a_slow_tls_handshake_is_closed_silently_and_takes_one_of_the_places() {
    let tls = Authority::new().certify("localhost").tls();
    let limits = ServerLimits {
        handshake_timeout: Duration::from_millis(200),
        handshakes_per_address: 1,
        ..ServerLimits::default()
    };
    let (_server, addr, _stop) = listen_as(probe().server_limits(limits).tls(tls)).await;
    let mut slow = TcpStream::connect(addr).await.unwrap();
    // The beginning of a record, and no more of it.
    slow.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
    let mut second = TcpStream::connect(addr).await.unwrap();
    let mut answer = Vec::new();
    let _ = second.read_to_end(&mut answer).await;
    let _ = slow.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn who_speaks_plain_http_to_a_port_of_tls_and_stays_keeps_its_place_no_longer_than_it_takes_to_tell() {
    let tls = Authority::new().certify("localhost").tls();
    let limits = ServerLimits {
        handshake_timeout: Duration::from_secs(3_600),
        handshakes_per_address: 1,
        ..ServerLimits::default()
    };
    let (_server, addr, _stop) = listen_as(probe().server_limits(limits).tls(tls)).await;
    let mut stays = TcpStream::connect(addr).await.unwrap();
    stays.write_all(UPGRADE.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stays.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 400"));
    let next = async {
        while exchange(addr, UPGRADE).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let served = tokio::time::timeout(Duration::from_secs(60), next).await;
    assert!(served.is_ok(), "its place is not free");
    drop(stays);
}
