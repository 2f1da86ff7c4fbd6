//! TLS by two flags, and a client that is told whom to trust.

use std::path::Path;

use expect_test::expect;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::support::{Outcome, Server, check, program};

/// Writes an authority, and a certificate of its for this machine: `NAME-ca.pem`, `NAME.pem`, `NAME-key.pem`.
fn certificates(directory: &Path, name: &str) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    for (file, text) in [
        (format!("{name}-ca.pem"), authority.pem()),
        (format!("{name}.pem"), certificate.pem()),
        (format!("{name}-key.pem"), key.serialize_pem()),
    ] {
        std::fs::write(directory.join(file), text).unwrap();
    }
}

#[test]
fn two_flags_make_a_server_speak_tls_and_one_makes_a_client_trust_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    certificates(directory.path(), "ours");
    certificates(directory.path(), "theirs");
    let (certificate, key) = (format!("{path}/ours.pem"), format!("{path}/ours-key.pem"));
    let server = Server::start_with(
        &[
            "--listen",
            "127.0.0.1:0",
            "--memory",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ],
        None,
    );
    assert!(server.url.starts_with("wss://127.0.0.1:"), "{}", server.url);
    let names = [(path, "<directory>"), (server.url.as_str(), "<server>")];

    let ours = format!("{path}/ours-ca.pem");
    server.call_with(&["register", "ada", "--ca", &ours], "open sesame");
    server.ok(&["add", "Buy milk", "--ca", &ours]);
    assert_eq!(server.ok(&["whoami", "--ca", &ours]), "ada\n");

    check(
        &server.call(&["list", "--ca", &format!("{path}/theirs-ca.pem")]),
        &names,
        expect![[r#"
            error: cannot connect to <server>: no TLS: the server's certificate is from nobody who is trusted here; --ca names whom to trust
            exit 69
        "#]],
    );
    check(
        &server.call(&["list", "--ca", &format!("{path}/none.pem")]),
        &names,
        expect![[r#"
            error: --ca: cannot read <directory>/none.pem: No such file or directory (os error 2)
            exit 78
        "#]],
    );
    check(
        &server.call(&["list", "--ca", &format!("{path}/ours-key.pem")]),
        &names,
        expect![[r#"
            error: cannot connect to <server>: no roots were given, so that no server is trusted; --ca names whom to trust
            exit 69
        "#]],
    );
    let plain = server.url.replace("wss://", "ws://");
    let outcome = Outcome::of(program().args(["list", "--server", &plain]));
    check(
        &outcome,
        &[(plain.as_str(), "<server without TLS>")],
        expect![[r#"
            error: cannot connect to <server without TLS>: the server answered with HTTP status 400 Bad Request: this port speaks TLS: connect with wss:// or https:// instead
            exit 69
        "#]],
    );
}

#[test]
fn certificates_that_cannot_be_used_are_one_line_and_a_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    certificates(directory.path(), "ours");
    certificates(directory.path(), "theirs");
    let serve = |certificate: &str, key: &str| {
        let (certificate, key) = (format!("{path}/{certificate}"), format!("{path}/{key}"));
        let args = [
            "--memory",
            "--listen",
            "127.0.0.1:0",
            "--tls-cert",
            &certificate,
            "--tls-key",
            &key,
        ];
        Outcome::of(program().env("RUST_LOG", "error").args(args))
    };
    let names = [(path, "<directory>")];
    check(
        &serve("none.pem", "ours-key.pem"),
        &names,
        expect![[r#"
        error: TLS: cannot read <directory>/none.pem: No such file or directory (os error 2); check the path and who may read it
        exit 78
    "#]],
    );
    check(
        &serve("ours.pem", "theirs-key.pem"),
        &names,
        expect![[r#"
        error: TLS: the key in <directory>/theirs-key.pem does not belong to the certificate in <directory>/ours.pem: give the two that were made together
        exit 78
    "#]],
    );
    check(
        &serve("ours-key.pem", "ours-key.pem"),
        &names,
        expect![[r#"
        error: TLS: <directory>/ours-key.pem holds no certificate: it has to hold one, followed by those that lead to its authority, in PEM (`-----BEGIN CERTIFICATE-----`)
        exit 78
    "#]],
    );
    check(
        &Outcome::of(program().args(["--tls-cert", "cert.pem"])),
        &[],
        expect![[r#"
            error: the following required arguments were not provided:
              --tls-key <PATH>

            Usage: tasks --tls-cert <PATH> --tls-key <PATH>

            For more information, try '--help'.
            exit 64
        "#]],
    );
}
