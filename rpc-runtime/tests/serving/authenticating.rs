//! Who is let in by what the handshake shows, and how the others are told.

use std::{
    future::pending,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use futures_util::StreamExt;
use http::{HeaderName, Response, header};
use rpc_runtime::{
    Client, Limits, Server, ServerBuilder, ServerLimits, Session,
    auth::{Attempt, AuthError, Authenticator, Identity, Purpose, Source},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    handshake::{exchange, listen_as},
    probe::{ProbeGateway, call, order},
    raw::Log,
};

/// What was shown: scheme, secret, source.
type Shown = (String, String, Source);

/// Knows some words, and remembers what was shown to it.
#[derive(Clone, Default)]
pub struct Words {
    shown: Arc<Mutex<Vec<Shown>>>,
    pub sessions: Arc<Mutex<Vec<Arc<Session>>>>,
}

impl Authenticator for Words {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        let credential = attempt.credential();
        let secret = credential.text().unwrap_or_default().to_owned();
        let shown = (credential.scheme().to_owned(), secret.clone(), attempt.source());
        self.shown.lock().unwrap().push(shown);
        self.sessions.lock().unwrap().push(attempt.session().clone());
        assert_eq!(attempt.purpose(), Purpose::Authenticate);
        match (credential.scheme(), secret.as_str()) {
            ("digest", _) => Err(AuthError::UnknownScheme),
            (_, "good") => Ok(Identity::new("ada").expires_at(SystemTime::now() + Duration::from_secs(60))),
            (_, "expired") => Err(AuthError::Expired),
            (_, "down") => Err(AuthError::unavailable("the database is away")),
            (_, "slow") => pending().await,
            (_, "panic") => panic!("a mistake in the authenticator"),
            (_, "nobody") => Ok(Identity::new("")),
            _ => Err(AuthError::invalid("no such word: \u{1b}[31m\nforged line")),
        }
    }
}

pub fn builder(words: &Words) -> ServerBuilder {
    let limits = Limits {
        authentication_time: Duration::from_millis(50),
        ..Limits::default()
    };
    Server::builder()
        .service(ProbeGateway::default())
        .limits(limits)
        .authenticator(words.clone())
        .auth_cookie("sid")
}

/// What a handshake came to: an HTTP status with its headers, a close code, or a connection (0).
#[derive(Debug)]
pub enum Answer {
    Http(Box<Response<Option<Vec<u8>>>>),
    Closed(u16),
    Greeted,
}

impl Answer {
    pub fn http(&self) -> u16 {
        match self {
            Self::Http(response) => response.status().as_u16(),
            other => panic!("not answered by HTTP: {other:?}"),
        }
    }

    pub fn code(&self) -> u16 {
        match self {
            Self::Closed(code) => *code,
            other => panic!("not closed: {other:?}"),
        }
    }
}

pub async fn shake(addr: SocketAddr, headers: &[(HeaderName, String)]) -> Answer {
    let mut request = format!("ws://{addr}/rpc").into_client_request().unwrap();
    request
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, "rpc.v1".parse().unwrap());
    for (name, value) in headers {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let mut socket = match connect_async(request).await {
        Ok((socket, _)) => socket,
        Err(Error::Http(response)) => return Answer::Http(response),
        Err(other) => panic!("{other}"),
    };
    match socket.next().await {
        Some(Ok(Message::Binary(_))) => Answer::Greeted,
        Some(Ok(Message::Close(Some(frame)))) => Answer::Closed(frame.code.into()),
        other => panic!("{other:?}"),
    }
}

pub fn bearer(word: &str) -> (HeaderName, String) {
    (header::AUTHORIZATION, format!("Bearer {word}"))
}

/// A token among the subprotocols.
fn offered(word: &str) -> (HeaderName, String) {
    let token = data_encoding::BASE64URL_NOPAD.encode(word.as_bytes());
    (header::SEC_WEBSOCKET_PROTOCOL, format!("bearer.{token}"))
}

fn page(addr: SocketAddr) -> (HeaderName, String) {
    (header::ORIGIN, format!("http://{addr}"))
}

fn cookie(word: &str) -> (HeaderName, String) {
    (header::COOKIE, format!("theme=dark; sid={word}"))
}

#[tokio::test]
async fn a_credential_is_found_in_the_header_the_subprotocol_and_the_cookie_and_names_the_session() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words)).await;
    let basic = (header::AUTHORIZATION, "Basic good".to_owned());
    for headers in [
        vec![bearer("good")],
        vec![basic],
        vec![offered("good")],
        vec![cookie("good"), page(addr)],
    ] {
        let answer = shake(addr, &headers).await;
        assert!(matches!(answer, Answer::Greeted), "{headers:?}: {answer:?}");
    }
    let expected = [
        ("bearer", Source::Header),
        ("basic", Source::Header),
        ("bearer", Source::Subprotocol),
        ("cookie", Source::Cookie),
    ];
    let expected = expected.map(|(scheme, source)| (scheme.to_owned(), "good".to_owned(), source));
    assert_eq!(*words.shown.lock().unwrap(), expected);
    for session in &*words.sessions.lock().unwrap() {
        assert_eq!(session.user().as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn without_an_origin_a_refused_credential_is_an_http_status_before_the_upgrade() {
    let words = Words::default();
    let (server, addr, _stop) = listen_as(builder(&words)).await;
    for (word, status) in [
        ("wrong", 401),
        ("nobody", 401),
        ("expired", 401),
        ("down", 503),
        ("slow", 503),
        ("panic", 500),
    ] {
        assert_eq!(shake(addr, &[bearer(word)]).await.http(), status, "{word}");
    }
    let Answer::Http(wrong) = shake(addr, &[bearer("wrong")]).await else {
        panic!("let in");
    };
    assert_eq!(
        wrong.headers()[header::WWW_AUTHENTICATE],
        "Bearer error=\"invalid_token\""
    );
    let Answer::Http(down) = shake(addr, &[bearer("down")]).await else {
        panic!("let in");
    };
    assert!(down.headers().contains_key(header::RETRY_AFTER));
    // Of a scheme that nobody knows, or no credential at all.
    let digest = (header::AUTHORIZATION, "Digest x".to_owned());
    let empty = (header::AUTHORIZATION, "Bearer".to_owned());
    let crooked = (header::SEC_WEBSOCKET_PROTOCOL, "bearer.%%%".to_owned());
    for headers in [digest, empty, crooked] {
        assert_eq!(
            shake(addr, std::slice::from_ref(&headers)).await.http(),
            401,
            "{headers:?}"
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_page_is_let_in_only_to_be_told_by_a_close_code() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words)).await;
    for (word, code) in [
        ("wrong", 4500),
        ("nobody", 4500),
        ("expired", 4401),
        ("down", 1013),
        ("slow", 1013),
        ("panic", 1011),
    ] {
        let answer = shake(addr, &[offered(word), page(addr)]).await;
        assert_eq!(answer.code(), code, "{word}");
    }
}

#[tokio::test]
async fn a_cookie_needs_an_origin_that_is_allowed() {
    let words = Words::default();
    let (server, addr, _stop) = listen_as(builder(&words)).await;
    assert_eq!(shake(addr, &[cookie("good")]).await.http(), 403);
    let forged = (header::ORIGIN, "https://evil.example".to_owned());
    assert_eq!(shake(addr, &[cookie("good"), forged]).await.http(), 403);
    assert!(words.shown.lock().unwrap().is_empty(), "nobody was asked");
    assert_eq!(server.connections(), 0);
    // Where another credential says who it is, the cookie does not matter.
    let both = shake(addr, &[cookie("wrong"), bearer("good")]).await;
    assert!(matches!(both, Answer::Greeted), "{both:?}");
}

#[tokio::test]
async fn two_credentials_that_are_not_the_same_are_answered_400() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words)).await;
    let two = [bearer("good"), offered("other")];
    assert_eq!(shake(addr, &two).await.http(), 400);
    assert!(words.shown.lock().unwrap().is_empty(), "nobody was asked");
    let twice = shake(addr, &[bearer("good"), offered("good")]).await;
    assert!(matches!(twice, Answer::Greeted), "{twice:?}");
}

#[tokio::test]
async fn who_shows_nothing_is_let_in_and_where_nobody_could_tell_nothing_is_looked_at() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words).require_authentication()).await;
    assert!(matches!(shake(addr, &[]).await, Answer::Greeted));
    let open = Server::builder().service(ProbeGateway::default());
    let (_server, addr, _stop) = listen_as(open).await;
    for headers in [
        vec![bearer("wrong")],
        vec![bearer("one"), offered("other")],
        vec![(header::AUTHORIZATION, "Bearer".to_owned())],
    ] {
        let answer = shake(addr, &headers).await;
        assert!(matches!(answer, Answer::Greeted), "{headers:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_one_line_in_the_log_without_the_secret() {
    let (log, _guard) = Log::capture();
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words)).await;
    assert_eq!(shake(addr, &[bearer("s3cr3t")]).await.http(), 401);
    assert_eq!(shake(addr, &[bearer("panic")]).await.http(), 500);
    let text = log.text();
    assert!(!text.contains("s3cr3t") && !text.contains('\u{1b}'), "{text}");
    let lines = log.lines();
    let of = |what: &str| lines.iter().filter(|line| line.contains(what)).count();
    assert_eq!(of("no such word"), 1, "{text}");
    assert_eq!(of("forged line"), 1, "in the same line: {text}");
    assert_eq!(of("a mistake in the authenticator"), 1, "{text}");
}

#[tokio::test]
async fn an_authenticator_that_is_slower_than_the_handshake_may_be_is_answered_and_not_cut_off() {
    let words = Words::default();
    let limits = ServerLimits {
        handshake_timeout: Duration::from_millis(100),
        ..ServerLimits::default()
    };
    let builder = builder(&words).server_limits(limits).limits(Limits {
        authentication_time: Duration::from_secs(3_600),
        ..Limits::default()
    });
    let (_server, addr, _stop) = listen_as(builder).await;
    assert_eq!(shake(addr, &[bearer("slow")]).await.http(), 503);
}

#[tokio::test]
async fn headers_may_have_24_kib_where_tokens_travel_in_them() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(builder(&words)).await;
    let request = |bytes: usize| {
        let token = "x".repeat(bytes);
        format!("GET /x HTTP/1.1\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n")
    };
    assert!(exchange(addr, &request(23_000)).await.starts_with("HTTP/1.1 404"));
    assert!(exchange(addr, &request(25_000)).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn our_client_authenticates_by_a_header_on_a_mounted_server_too() {
    let words = Words::default();
    let server = builder(&words).build().unwrap();
    let app = axum::Router::new().route_service("/rpc", server.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    let client = Client::builder(format!("ws://{addr}/rpc")).header("Authorization", "Bearer good");
    let client = client.connect().await.unwrap();
    assert_eq!(
        call(&client, "Echo", &order("milk")).await.unwrap(),
        order("milk")
    );
    assert_eq!(shake(addr, &[bearer("wrong")]).await.http(), 401);
}
