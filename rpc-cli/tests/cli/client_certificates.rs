//! Servers that ask for a certificate of the client's own: what each command makes of them with one, with none, and with another's.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rpc_runtime::ServerTls;
use tempfile::TempDir;

use crate::refused::{each, failed};
use crate::server::{Outcome, Serving, framework, rpc};

/// A server that lets in whom one authority vouches for, and files with certificates and keys.
struct Asking {
    server: Serving,
    folder: TempDir,
}

impl Asking {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, pem: String| std::fs::write(folder.path().join(name), pem).unwrap();
        let (ours, others) = (authority(), authority());
        for (name, authority) in [("server", &ours), ("client", &ours), ("stranger", &others)] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            write(
                &format!("{name}.pem"),
                params.signed_by(&key, authority).unwrap().pem(),
            );
            write(&format!("{name}-key.pem"), key.serialize_pem());
        }
        let root = ours.as_ref().pem();
        write("ca.pem", root.clone());
        let file = |name: &str| folder.path().join(name);
        let tls = ServerTls::from_pem_files(file("server.pem"), file("server-key.pem")).client_ca(root);
        Self {
            server: Serving::start_at("wss", "localhost", framework().tls(tls)),
            folder,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The options by which the server is trusted.
    fn known(&self) -> [String; 4] {
        let words = ["--server", &self.server.url, "--ca", &self.file("ca.pem")];
        words.map(str::to_owned)
    }

    /// The same, and those by which a certificate is shown.
    fn shown(&self, certificate: &str, key: &str) -> Vec<String> {
        let (certificate, key) = (self.file(certificate), self.file(key));
        let own = ["--cert", &certificate, "--cert-key", &key].map(str::to_owned);
        [self.known(), own].concat()
    }

    fn call(&self, certificate: &str, key: &str) -> Outcome {
        let options = self.shown(certificate, key);
        rpc(&[&["call", "Info", "--json"], &words(&options)[..]].concat(), "")
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn words(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

#[test]
fn a_certificate_of_the_right_authority_lets_commands_in() {
    let asking = Asking::start();
    let answer = asking.call("client.pem", "client-key.pem").json();
    assert_eq!(answer[0]["path"], "/rpc");
    let options = asking.shown("client.pem", "client-key.pem");
    for command in [
        &["list"][..],
        &["describe", "Info"],
        &["stream", "Info"],
        &["bench", "Info", "-n", "1", "--warm-up", "0"],
    ] {
        rpc(&[command, &words(&options)].concat(), "").ok();
    }
}

#[test]
fn without_one_each_command_says_that_the_server_asks_for_it_and_which_options_show_it() {
    let asking = Asking::start();
    for outcome in each(&words(&asking.known())) {
        let parts = [
            "the server asks for a certificate of the client's own",
            "hint: --cert and --cert-key name files",
        ];
        failed(&outcome, 14, &parts);
    }
}

#[test]
fn a_certificate_of_another_authority_lets_no_command_in_and_each_says_why() {
    let asking = Asking::start();
    for outcome in each(&words(&asking.shown("stranger.pem", "stranger-key.pem"))) {
        let parts = [
            "does not take the client's certificate: it is from nobody who is trusted there",
            "hint: --cert and --cert-key name files",
        ];
        failed(&outcome, 14, &parts);
    }
}

#[test]
fn files_that_are_missing_or_do_not_belong_together_are_told_before_anything_is_connected() {
    let asking = Asking::start();
    for (certificate, key, code, text) in [
        ("nowhere.pem", "client-key.pem", 66, "nowhere.pem: "),
        ("client.pem", "nowhere.pem", 66, "nowhere.pem: "),
        (
            "client-key.pem",
            "client-key.pem",
            65,
            "client-key.pem holds no certificate",
        ),
        ("client.pem", "client.pem", 65, "client.pem holds no private key"),
        (
            "client.pem",
            "stranger-key.pem",
            65,
            "give the two that were made together",
        ),
    ] {
        failed(&asking.call(certificate, key), code, &[text]);
    }
}

#[test]
fn a_certificate_without_its_key_and_a_key_without_its_certificate_are_a_mistake_of_the_command_line() {
    for (one, other) in [("--cert", "--cert-key <FILE>"), ("--cert-key", "--cert <FILE>")] {
        let outcome = rpc(&["list", one, "some.pem"], "");
        assert_eq!(outcome.code, 64, "{}", outcome.err);
        assert!(outcome.err.contains(other), "{}", outcome.err);
    }
}
