//! The secret that logins are signed with, tokens that are forged, and what no log may have.

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use expect_test::expect;

use super::support::{Outcome, Server, check, program};

#[test]
fn a_login_outlives_its_server_where_the_secret_does() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("tasks.db");
    let mut server = Server::start(&database);
    server.call_with(&["register", "ada"], "open sesame");
    let token = server.login_file();
    let again = Server::start(&database);
    server.url.clone_from(&again.url);
    let args = ["whoami", "--token-file", token.to_str().unwrap()];
    assert_eq!(server.ok(&args), "ada\n");

    // Whoever changes the secret ends all logins.
    let secret = directory.path().join("tasks.db.jwt-secret");
    assert_eq!(secret.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::remove_file(secret).unwrap();
    let new = Server::start(&database);
    server.url.clone_from(&new.url);
    assert_eq!(server.call(&args).code, 77);
}

/// A token as the server makes them, by whoever has a secret.
fn token(user: &str, expires: SystemTime, key: &[u8]) -> String {
    let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let claims = serde_json::json!({ "sub": user, "iss": "tasks", "aud": "tasks", "exp": since(expires) });
    let key = jsonwebtoken::EncodingKey::from_secret(key);
    jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
}

#[test]
fn tokens_that_are_over_or_forged_are_nobodys() {
    let directory = tempfile::tempdir().unwrap();
    let secret = directory.path().join("secret");
    let key = [b'k'; 32];
    std::fs::write(&secret, key).unwrap();
    let server = Server::start_with(
        &["--listen", "127.0.0.1:0", "--memory", "--jwt-secret-file"],
        Some(&secret),
    );
    server.call_with(&["register", "ada"], "open sesame");
    let user: serde_json::Value = serde_json::from_str(&server.ok(&["whoami", "--json"])).unwrap();
    let user = user["id"].as_str().unwrap();
    let file = directory.path().join("token");
    let whoami = |token: String| {
        std::fs::write(&file, token).unwrap();
        server.call(&["whoami", "--token-file", file.to_str().unwrap()])
    };
    let (minutes, later) = (
        Duration::from_secs(120),
        SystemTime::now() + Duration::from_secs(600),
    );
    let good = token(user, later, &key);
    let (head, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    assert_eq!(whoami(good.clone()).stdout, "ada\n");
    // Of `{"alg":"none"}`, with and without a signature.
    let none = "eyJhbGciOiJub25lIn0";
    for wrong in [
        token(user, SystemTime::now() - minutes, &key),
        token(user, later, &[b'x'; 32]),
        format!("{none}.{body}."),
        format!("{none}.{body}.{signature}"),
        format!("{head}.{body}."),
    ] {
        let outcome = whoami(wrong.clone());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (77, ""), "{wrong}");
        assert_eq!(
            outcome.stderr,
            "error: the login is not valid, or is over; `tasks login NAME` logs in\n"
        );
    }
}

#[test]
fn a_secret_that_cannot_be_used_is_one_line_and_a_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let names = [(path, "<directory>")];
    let serve = |args: &[&str]| Outcome::of(program().args(["--listen", "127.0.0.1:0"]).args(args));
    let file = format!("{path}/secret");
    check(
        &serve(&["--memory", "--jwt-secret-file", &file]),
        &names,
        expect![[r#"
            error: the secret of the tokens: cannot read <directory>/secret: No such file or directory (os error 2)
            exit 78
        "#]],
    );
    std::fs::write(&file, "0123456789abcdef\n").unwrap();
    check(
        &serve(&["--memory", "--jwt-secret-file", &file]),
        &names,
        expect![[r#"
            error: the secret of the tokens: <directory>/secret holds 16 bytes, and a secret has 32 or more: `openssl rand -hex 32` makes one
            exit 78
        "#]],
    );
    std::fs::create_dir(format!("{path}/tasks.db.jwt-secret")).unwrap();
    check(
        &serve(&["--database", &format!("{path}/tasks.db")]),
        &names,
        expect![[r#"
            error: the secret of the tokens: cannot read <directory>/tasks.db.jwt-secret: Is a directory (os error 21)
            exit 78
        "#]],
    );
}

#[test]
fn passwords_and_tokens_are_in_no_log() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let server = Server::logging_to(&log);
    let mut said = String::new();
    for (args, input) in [
        (&["register", "ada"][..], "open sesame"),
        (&["login", "ada"], "open sesame"),
        (&["login", "ada"], "wrong sesame"),
        (&["register", "eve"], "sesame"),
        (&["whoami"], ""),
        (&["list"], ""),
    ] {
        let outcome = Outcome::with_input(server.client(args).env("RUST_LOG", "trace"), input);
        assert!(outcome.stderr.contains("TRACE"), "{args:?} says what it does");
        said += &outcome.stderr;
    }
    let token = std::fs::read_to_string(server.login_file()).unwrap();
    said += &std::fs::read_to_string(&log).unwrap();
    assert!(
        said.contains("auth.AuthService/Login"),
        "calls are in the log: {said}"
    );
    for secret in ["sesame", token.trim(), token.trim().rsplit('.').next().unwrap()] {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
