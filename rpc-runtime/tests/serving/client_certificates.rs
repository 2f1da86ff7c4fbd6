//! Clients that show a certificate of their own to a server that asks for one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use rpc_runtime::{
    CallError, Client, ClientBuilder, CloseCode, Reconnect, Refused, RefusedKind, Server, TlsCertificate,
    TlsRoots,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
};

use crate::{
    authenticating::{self, Words},
    handshake::listen_as,
    probe::{call, order},
    raw::Log,
    tls::{Authority, Certified, speak_tls},
};

/// A server that lets in whom an authority vouches for.
struct Asking {
    server: Server,
    addr: SocketAddr,
    words: Words,
    authority: Authority,
    clients: Authority,
    _stop: oneshot::Sender<()>,
}

impl Asking {
    async fn start() -> Self {
        let (authority, clients) = (Authority::new(), Authority::new());
        let words = Words::default();
        let tls = authority.certify("localhost").tls().client_ca(clients.pem());
        let (server, addr, stop) = listen_as(authenticating::builder(&words).tls(tls)).await;
        Self {
            server,
            addr,
            words,
            authority,
            clients,
            _stop: stop,
        }
    }

    fn client(&self) -> ClientBuilder {
        Client::builder(format!("wss://localhost:{}/rpc", self.addr.port()))
            .tls_roots(TlsRoots::Given(vec![self.authority.pem().into_bytes()]))
            .credential(rpc_runtime::auth::Credential::bearer("good"))
    }

    /// What the latest session has shown, in DER.
    fn shown(&self) -> Vec<Bytes> {
        let session = self.words.sessions.lock().unwrap().last().unwrap().clone();
        session.info().tls().unwrap().peer_certificates.clone()
    }

    async fn refused(&self, client: ClientBuilder) -> Refused {
        let outcome = client.reconnect(Reconnect::never()).connect().await;
        assert_eq!(self.server.connections(), 0, "nobody is let in");
        match outcome {
            Err(CallError::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        }
    }
}

fn shows(own: &Certified) -> TlsCertificate {
    TlsCertificate::from_pem(own.certificate.clone(), own.key.clone())
}

fn in_files(folder: &tempfile::TempDir) -> TlsCertificate {
    let file = |name: &str| folder.path().join(name);
    TlsCertificate::from_pem_files(file("certificate.pem"), file("key.pem"))
}

#[tokio::test]
async fn a_client_that_shows_a_certificate_is_let_in_by_a_server_that_asks_for_one() {
    let asking = Asking::start().await;
    let own = asking.clients.certify("client.example");
    let folder = tempfile::tempdir().unwrap();
    own.write(folder.path());
    for certificate in [shows(&own), in_files(&folder)] {
        certificate.check().unwrap();
        let client = asking.client().tls_certificate(certificate);
        let client = client.connect().await.unwrap();
        assert_eq!(
            call(&client, "Echo", &order("milk")).await.unwrap(),
            order("milk")
        );
        assert_eq!(asking.shown(), [own.der()]);
    }
}

#[tokio::test]
async fn a_server_that_asks_for_none_is_not_shown_one() {
    let (authority, words) = (Authority::new(), Words::default());
    let tls = authority.certify("localhost").tls();
    let (_server, addr, _stop) = listen_as(authenticating::builder(&words).tls(tls)).await;
    let client = Client::builder(format!("wss://localhost:{}/rpc", addr.port()))
        .tls_roots(TlsRoots::Given(vec![authority.pem().into_bytes()]))
        .tls_certificate(shows(&authority.certify("client.example")))
        .credential(rpc_runtime::auth::Credential::bearer("good"));
    client.connect().await.unwrap();
    let session = words.sessions.lock().unwrap()[0].clone();
    assert_eq!(session.info().tls().unwrap().peer_certificates, [] as [Bytes; 0]);
}

/// A certificate of the right authority that is changed in something.
fn wrong(asking: &Asking, change: impl FnOnce(&mut CertificateParams)) -> Certified {
    let mut params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
    change(&mut params);
    asking.clients.sign(params)
}

#[tokio::test]
async fn a_client_without_a_certificate_that_the_server_takes_is_told_why() {
    let asking = Asking::start().await;
    // By its name, and by its key alone.
    let named = Authority::named("another authority").certify("client.example");
    let stranger = Authority::new().certify("client.example");
    let over = wrong(&asking, |params| params.not_after = date_time_ymd(2001, 1, 1));
    let early = wrong(&asking, |params| params.not_before = date_time_ymd(4001, 1, 1));
    let of_servers = wrong(&asking, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for (own, text) in [
        (
            None,
            "asks for a certificate of the client's own, and it has none to show",
        ),
        (Some(named), "it is from nobody who is trusted there"),
        (Some(stranger), "it is from nobody who is trusted there"),
        (Some(over), "it has expired"),
        (Some(early), "or is not valid yet"),
        (Some(of_servers), "it is not for clients"),
    ] {
        for _ in 0..10 {
            let client = match &own {
                Some(own) => asking.client().tls_certificate(shows(own)),
                None => asking.client(),
            };
            let refused = asking.refused(client).await;
            assert_eq!(refused.kind(), RefusedKind::ClientCertificate, "{refused}");
            assert!(refused.to_string().contains(text), "{text}: {refused}");
        }
    }
}

/// Of a connection that is reset, some systems do not give a program what has come before.
#[tokio::test]
async fn what_a_server_says_of_a_certificate_is_behind_no_reset() {
    let asking = Asking::start().await;
    let stream = speak_tls(asking.addr, &asking.authority, None).await.unwrap();
    let (mut tcp, _) = stream.into_inner();
    // A request with long headers, of which more is here than the server reads before it decides.
    tcp.write_all(&[b'x'; 32_000]).await.unwrap();
    let mut said = Vec::new();
    tcp.read_to_end(&mut said).await.unwrap();
    assert!(!said.is_empty(), "it is told by an alert");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_when_the_client_is_made_with_what_to_do() {
    let clients = Authority::new();
    let (own, other) = (
        clients.certify("client.example"),
        clients.certify("client.example"),
    );
    let pem = |certificate: &str, key: &str| TlsCertificate::from_pem(certificate.to_owned(), key.to_owned());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("certificate.pem"), &own.certificate).unwrap();
    let malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, text) in [
        (in_files(&folder), "key.pem: "),
        (
            TlsCertificate::from_pem_files("/nowhere/certificate.pem", "/nowhere/key.pem"),
            "cannot read /nowhere/certificate.pem",
        ),
        (pem("", &own.key), "the given certificate holds no certificate"),
        (
            pem(&own.key, &own.key),
            "the given certificate holds no certificate",
        ),
        (
            pem(&own.certificate, &own.certificate),
            "the given key holds no private key",
        ),
        (
            pem(&own.certificate, &other.key),
            "does not belong to the certificate in the given certificate: give the two that were made together",
        ),
        (pem(malformed, &own.key), "the given certificate cannot be used"),
    ] {
        let told = certificate.check().unwrap_err();
        assert!(told.to_string().contains(text), "{text}: {told}");
        let client = Client::builder("wss://localhost/rpc").tls_certificate(certificate);
        match client.lazy() {
            Err(CallError::Refused(refused)) => {
                assert_eq!(refused.kind(), RefusedKind::ClientCertificate);
                assert!(refused.to_string().contains(&told.to_string()), "{refused}");
            }
            other => panic!("{other:?}"),
        }
    }
    // One file may have both.
    let both = own.certificate.clone() + &own.key;
    pem(&both, &both).check().unwrap();
}

#[tokio::test]
async fn files_that_were_replaced_are_shown_on_the_next_connection_and_broken_ones_are_not() {
    let (log, _guard) = Log::capture();
    let asking = Asking::start().await;
    let (first, second) = (
        asking.clients.certify("client.example"),
        asking.clients.certify("client.example"),
    );
    let folder = tempfile::tempdir().unwrap();
    first.write(folder.path());
    let client = asking.client().tls_certificate(in_files(&folder));
    let client = client.connect().await.unwrap();
    let again = async || {
        let session = asking.words.sessions.lock().unwrap().last().unwrap().clone();
        session.close(CloseCode::Restart, "");
        while Arc::ptr_eq(asking.words.sessions.lock().unwrap().last().unwrap(), &session) {
            // It is in between, or on its way.
            let _ = call(&client, "Echo", &order("milk")).await;
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(asking.shown(), [first.der()]);
    second.write(folder.path());
    again().await;
    assert_eq!(asking.shown(), [second.der()]);
    std::fs::write(folder.path().join("key.pem"), &first.key).unwrap();
    again().await;
    assert_eq!(asking.shown(), [second.der()]);
    let told = "the client's new certificate cannot be used";
    assert!(
        log.text().contains(told) && log.text().contains("key.pem does not belong to"),
        "{}",
        log.text()
    );
}

#[test]
fn the_key_is_in_no_text_of_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let own = Authority::new().certify("client.example");
    let shown = format!("{:?} {:?}", shows(&own), in_files(&folder));
    assert!(!shown.contains("BEGIN"), "{shown}");
    assert!(shown.contains("key.pem"), "{shown}");
}

/// Where the key is on another machine that does not answer, its file is read for as long as that takes.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_is_read_for_long_keeps_nobody_else_from_running() {
    let asking = Asking::start().await;
    let own = asking.clients.certify("client.example");
    let folder = tempfile::tempdir().unwrap();
    own.write(folder.path());
    let client = asking.client().tls_certificate(in_files(&folder)).lazy().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::remove_file(&key).unwrap();
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&key)
            .status()
            .unwrap()
            .success()
    );
    let (tell, mut is_read) = tokio::sync::mpsc::unbounded_channel();
    let (runs, told) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        // It is open as soon as somebody reads it, who then waits for what is written.
        let file = std::fs::OpenOptions::new().write(true).open(key);
        tell.send(()).unwrap();
        let others_run = told.recv_timeout(Duration::from_secs(60)).is_ok();
        std::io::Write::write_all(&mut file.unwrap(), own.key.as_bytes()).unwrap();
        others_run
    });
    let calls = tokio::spawn(async move { call(&client, "Echo", &order("milk")).await });
    is_read.recv().await.unwrap();
    // Where all that runs waits for the file, nobody says so.
    let _ = runs.send(());
    assert_eq!(calls.await.unwrap().unwrap(), order("milk"));
    assert!(
        writer.join().unwrap(),
        "nobody else has run while the key was read"
    );
}
