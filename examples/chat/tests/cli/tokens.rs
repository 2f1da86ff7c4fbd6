//! Which tokens the server takes: its own, while they are good, and no others.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use sqlx::{ConnectOptions, Row, sqlite::SqliteConnectOptions};

use crate::support::Server;

/// `{"alg":"none","typ":"JWT"}`.
const NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";

/// What a token says; what is absent is left out.
#[derive(Clone, Serialize)]
struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
}

/// What the server's own tokens say, for an hour.
fn good() -> Claims {
    Claims {
        sub: Some("ann"),
        iss: Some("chat"),
        aud: Some("chat"),
        exp: Some(now() + 3_600),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(algorithm: Algorithm, secret: &[u8], claims: &Claims) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

/// The three parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// The secret that the server signs tokens with.
fn secret(server: &Server) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let database = SqliteConnectOptions::new().filename(server.database());
        let mut connection = database.connect().await.unwrap();
        let row = sqlx::query("SELECT value FROM secrets WHERE name = 'tokens'");
        row.fetch_one(&mut connection).await.unwrap().get(0)
    })
}

/// How the server answers who asks for a WebSocket with a token: the status.
fn answer(server: &Server, token: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "GET /rpc HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: rpc.v1\r\n\
         Authorization: Bearer {token}\r\n\r\n",
        server.address()
    )
    .unwrap();
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).unwrap();
    status.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn a_token_is_taken_that_is_the_servers_own_and_good_and_no_other() {
    let server = Server::start(&[]);
    let secret = secret(&server);
    let own = |claims: Claims| signed(Algorithm::HS256, &secret, &claims);
    let taken = own(good());
    assert_eq!(answer(&server, &taken), "101", "all others differ from this one");

    let [header, claims, signature] = parts(&taken);
    let ben = own(Claims {
        sub: Some("ben"),
        ..good()
    });
    let [_, of_ben, _] = parts(&ben);
    let refused = [
        (
            "expired",
            own(Claims {
                exp: Some(now() - 3_600),
                ..good()
            }),
        ),
        ("of no time", own(Claims { exp: None, ..good() })),
        (
            "for another program",
            own(Claims {
                aud: Some("tasks"),
                ..good()
            }),
        ),
        ("for nobody", own(Claims { aud: None, ..good() })),
        (
            "by another program",
            own(Claims {
                iss: Some("tasks"),
                ..good()
            }),
        ),
        ("by nobody", own(Claims { iss: None, ..good() })),
        ("of no user", own(Claims { sub: None, ..good() })),
        ("by another key", signed(Algorithm::HS256, &[7; 32], &good())),
        ("by no key", signed(Algorithm::HS256, &[], &good())),
        ("by another algorithm", signed(Algorithm::HS512, &secret, &good())),
        ("by none", format!("{NONE}.{claims}.")),
        (
            "by none, with a signature",
            format!("{NONE}.{claims}.{signature}"),
        ),
        ("without its signature", format!("{header}.{claims}.")),
        (
            "with that of another user",
            format!("{header}.{of_ben}.{signature}"),
        ),
        ("no token", "ann".to_owned()),
    ];
    for (what, token) in refused {
        assert_eq!(answer(&server, &token), "401", "{what}: {token}");
    }
    // It is none of those that did it.
    assert_eq!(answer(&server, &taken), "101");
}

#[test]
fn a_token_is_good_at_another_servers_only_where_that_has_the_same_users() {
    let (here, there) = (Server::start(&[]), Server::start(&[]));
    let token = signed(Algorithm::HS256, &secret(&here), &good());
    assert_eq!(answer(&here, &token), "101");
    assert_eq!(answer(&there, &token), "401");
    let here = here.restart(&[]);
    assert_eq!(answer(&here, &token), "101", "the secret outlives the server");
}
