//! Servers with TLS and without: what each command makes of one that is not as its URL says.

use rpc_runtime::ServerTls;
use tempfile::TempDir;

use crate::refused::{each, failed};
use crate::server::{Serving, framework, rpc};

/// A server with a certificate that nobody knows, and files with certificates.
struct Certified {
    server: Serving,
    certificate: String,
    der: String,
    stranger: String,
    key: String,
    _folder: TempDir,
}

impl Certified {
    fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let certificate = write("cert.pem", made.cert.pem().as_bytes());
        let key = write("key.pem", made.signing_key.serialize_pem().as_bytes());
        let tls = ServerTls::from_pem_files(&certificate, &key);
        Self {
            server: Serving::start_at("wss", "localhost", framework().tls(tls)),
            certificate,
            der: write("cert.der", made.cert.der()),
            stranger: write("other.pem", other.cert.pem().as_bytes()),
            key,
            _folder: folder,
        }
    }
}

#[test]
fn a_certificate_is_trusted_by_the_authority_that_was_given() {
    let Certified {
        server,
        certificate,
        der,
        ..
    } = &Certified::start();
    for ca in [certificate, der] {
        let answer = server.rpc(&["call", "Info", "--json", "--ca", ca]).json();
        assert_eq!(answer[0]["path"], "/rpc", "{ca}");
    }
    for command in [&["list"][..], &["describe", "Info"], &["stream", "Info"]] {
        server.rpc(&[command, &["--ca", certificate]].concat()).ok();
    }
}

#[test]
fn a_certificate_of_a_stranger_is_trusted_by_no_command_and_each_says_by_what_it_would_be() {
    let Certified { server, stranger, .. } = &Certified::start();
    for outcome in each(&["--server", &server.url, "--ca", stranger]) {
        failed(
            &outcome,
            14,
            &[
                "no TLS",
                "from nobody who is trusted here",
                "hint: --ca names a file",
            ],
        );
    }
}

#[test]
fn a_certificate_for_another_name_is_told_with_the_names_that_it_is_for() {
    let Certified {
        server, certificate, ..
    } = &Certified::start();
    let url = server.url.replace("localhost", "127.0.0.1");
    let outcome = rpc(&["list", "--server", &url, "--ca", certificate], "");
    let parts = [
        "not valid for name \"127.0.0.1\"",
        "localhost",
        "the URL has the name that the server's is for",
    ];
    failed(&outcome, 14, &parts);
}

#[test]
fn a_port_with_tls_tells_each_command_so_that_comes_without() {
    let Certified { server, .. } = &Certified::start();
    let url = server.url.replace("wss://", "ws://");
    for outcome in each(&["--server", &url]) {
        let parts = ["this port speaks TLS: connect with wss://", "hint: "];
        failed(&outcome, 14, &parts);
    }
}

#[test]
fn each_command_that_comes_with_tls_to_a_port_without_is_told_so() {
    let plain = Serving::start(framework());
    let url = plain.url.replace("ws://", "wss://");
    for outcome in each(&["--server", &url]) {
        let parts = [
            "no TLS: what answers there speaks none",
            "begins with ws://",
            "hint: ",
        ];
        failed(&outcome, 14, &parts);
    }
}

#[test]
fn files_that_have_no_certificate_are_told() {
    let Certified { server, key, .. } = &Certified::start();
    failed(
        &server.rpc(&["call", "Info", "--ca", "/nowhere.pem"]),
        66,
        &["/nowhere.pem"],
    );
    failed(
        &server.rpc(&["call", "Info", "--ca", key]),
        65,
        &["key.pem has no certificate"],
    );
}
