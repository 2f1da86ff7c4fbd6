//! Plain HTTP beside the endpoints, on the same port.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Extension,
    http::StatusCode,
    routing::{get, post},
};
use rpc_runtime::{Client, ClientAddr, Endpoint, RemoteAddr, Server, ServerBuilder, ServerLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use crate::{
    handshake::{exchange, listen_as},
    probe::{ProbeGateway, call, order},
    raw::Log,
};

fn with(limits: ServerLimits, routes: Router) -> ServerBuilder {
    Server::builder()
        .service(ProbeGateway::default())
        .server_limits(limits)
        .http(routes)
}

fn hello() -> Router {
    Router::new().route("/hello", get(|| async { "hello" }))
}

/// A connection that is kept.
struct Kept(TcpStream);

impl Kept {
    async fn open(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    async fn send(&mut self, request: &str) {
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    async fn get(&mut self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .await;
        self.answer().await
    }

    /// The head of the next answer, and as much of its body as it says.
    async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).await.expect("an answer");
            answer.push(byte[0]);
        }
        let head = String::from_utf8(answer).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    /// What is left until the server closes.
    async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let end = self.0.read_to_end(&mut rest);
        let _ = tokio::time::timeout(Duration::from_secs(30), end)
            .await
            .expect("an end");
        String::from_utf8(rest).unwrap()
    }
}

const UPGRADE: &str = "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                       Sec-WebSocket-Protocol: rpc.v1\r\n\r\n";

#[tokio::test]
async fn what_is_no_upgrade_is_the_services_and_an_upgrade_works_behind_it_on_the_same_connection() {
    let routes = hello().route("/rpc", get(|| async { "a page about the endpoint" }));
    let (server, addr, _stop) = listen_as(with(ServerLimits::default(), routes)).await;
    let mut kept = Kept::open(addr).await;
    for _ in 0..3 {
        assert!(kept.get("/hello").await.ends_with("hello"));
        assert!(kept.get("/rpc").await.ends_with("a page about the endpoint"));
        assert!(kept.get("/nowhere").await.starts_with("HTTP/1.1 404"));
    }
    kept.send(UPGRADE).await;
    assert!(kept.answer().await.starts_with("HTTP/1.1 101"));
    let mut greeting = [0];
    kept.0.read_exact(&mut greeting).await.unwrap();
    assert_eq!((greeting[0], server.connections()), (0x82, 1), "a binary message");
    let client = Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
    assert_eq!(
        call(&client, "Echo", &order("milk")).await.unwrap(),
        order("milk")
    );
}

#[tokio::test]
async fn an_endpoints_path_is_told_of_the_upgrade_that_is_missing_where_the_service_has_nothing_there() {
    let (_server, addr, _stop) = listen_as(with(ServerLimits::default(), hello())).await;
    let answer = Kept::open(addr).await.get("/rpc").await.to_lowercase();
    assert!(
        answer.starts_with("http/1.1 426") && answer.contains("upgrade: websocket"),
        "{answer}"
    );
    assert!(answer.ends_with("this is a websocket endpoint for the subprotocol rpc.v1\n"));
}

#[tokio::test]
async fn what_the_service_says_itself_of_an_endpoints_path_is_left_as_it_is() {
    let missing = || async { (StatusCode::NOT_FOUND, "there is no such game") };
    let nothing = || async { StatusCode::NOT_FOUND };
    let routes = hello()
        .route(
            "/game/{id}",
            get(missing).delete(nothing).post(nothing).put(nothing),
        )
        .route("/rpc", get(nothing));
    let builder = with(ServerLimits::default(), routes).endpoint("/game/{id}", Endpoint::new());
    let (_server, addr, _stop) = listen_as(builder).await;
    let mut kept = Kept::open(addr).await;
    let answer = kept.get("/game/7").await;
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.ends_with("there is no such game"),
        "{answer}"
    );
    for (method, head, body) in [
        ("DELETE", "", ""),
        ("POST", "Content-Length: 4\r\n", "milk"),
        ("PUT", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ] {
        kept.send(&format!(
            "{method} /game/7 HTTP/1.1\r\nHost: a\r\n{head}\r\n{body}"
        ))
        .await;
        assert!(kept.answer().await.starts_with("HTTP/1.1 404"), "{method}");
    }
    // A GET with a body is no upgrade that something has been lost of.
    kept.send("GET /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmilk")
        .await;
    assert!(kept.answer().await.starts_with("HTTP/1.1 404"));
    assert!(kept.get("/rpc").await.starts_with("HTTP/1.1 426"));
}

#[tokio::test]
async fn the_service_is_told_the_clients_address_and_gets_bodies() {
    let routes = Router::new()
        .route(
            "/who",
            get(
                |Extension(ClientAddr(client)): Extension<ClientAddr>,
                 Extension(RemoteAddr(remote)): Extension<RemoteAddr>| async move {
                    format!("{client} by {}", remote.ip())
                },
            ),
        )
        .route("/echo", post(|body: String| async move { body }));
    let builder = with(ServerLimits::default(), routes).trusted_proxies(["127.0.0.1"]);
    let (_server, addr, _stop) = listen_as(builder).await;
    let mut kept = Kept::open(addr).await;
    assert!(kept.get("/who").await.ends_with("127.0.0.1 by 127.0.0.1"));
    kept.send("GET /who HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n")
        .await;
    assert!(kept.answer().await.ends_with("198.51.100.7 by 127.0.0.1"));
    kept.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmilk")
        .await;
    assert!(kept.answer().await.ends_with("milk"));
}

#[tokio::test]
async fn a_service_that_panics_is_a_500_and_the_connection_goes_on() {
    async fn mistaken() -> &'static str {
        panic!("a mistake in the page")
    }
    let (log, _guard) = Log::capture();
    let routes = hello().route("/panic", get(mistaken));
    let (_server, addr, _stop) = listen_as(with(ServerLimits::default(), routes)).await;
    let mut kept = Kept::open(addr).await;
    let answer = kept.get("/panic").await;
    assert!(
        answer.starts_with("HTTP/1.1 500") && !answer.contains("mistake"),
        "{answer}"
    );
    assert!(log.text().contains("a mistake in the page"), "{}", log.text());
    assert!(kept.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn connections_of_the_service_have_places_of_their_own() {
    let limits = ServerLimits {
        handshakes: 1,
        http_connections: 2,
        ..ServerLimits::default()
    };
    let (_server, addr, _stop) = listen_as(with(limits, hello())).await;
    let (mut one, mut other) = (Kept::open(addr).await, Kept::open(addr).await);
    // Each gives its place among the handshakes back once it is known for what it is.
    assert!(one.get("/hello").await.ends_with("hello"));
    drop(other);
    for _ in 0..100 {
        other = Kept::open(addr).await;
        other.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
        let mut first = [0];
        if other.0.read_exact(&mut first).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let request = "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let refused = exchange(addr, request).await;
    assert!(
        refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after"),
        "{refused}"
    );
    // Connections of clients are not concerned.
    Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
    assert!(one.get("/hello").await.ends_with("hello"));
}

#[tokio::test]
async fn connections_that_idle_or_are_slow_are_closed() {
    let quick = Duration::from_millis(100);
    let far = Duration::from_secs(3_600);
    let limits = |header, idle, stall| ServerLimits {
        http_header_time: header,
        http_idle_time: idle,
        http_stall_time: stall,
        ..ServerLimits::default()
    };
    let routes = || {
        hello()
            .route("/echo", post(|body: String| async move { body }))
            .route("/large", get(|| async { Body::from(vec![b'x'; 64 << 20]) }))
    };
    // Each is closed for its own reason: the other times are far away.
    let (_server, addr, _stop) = listen_as(with(limits(far, quick, far), routes())).await;
    let mut idle = Kept::open(addr).await;
    assert!(idle.get("/hello").await.ends_with("hello"));
    assert_eq!(idle.rest().await, "");

    let (_server, addr, _stop) = listen_as(with(limits(quick, far, far), routes())).await;
    let mut slow_header = Kept::open(addr).await;
    assert!(slow_header.get("/hello").await.ends_with("hello"));
    slow_header.send("GET /hello HTTP/1.1\r\nHost: a\r\n").await;
    assert_eq!(slow_header.rest().await, "");

    let (_server, addr, _stop) = listen_as(with(limits(far, far, quick), routes())).await;
    let mut slow_body = Kept::open(addr).await;
    slow_body
        .send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nmi")
        .await;
    assert_eq!(slow_body.rest().await, "");
    let mut slow_reader = Kept::open(addr).await;
    slow_reader.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
    // Far longer than the stall: then what the system holds comes, and an end.
    tokio::time::sleep(quick * 20).await;
    assert!(slow_reader.rest().await.len() < 64 << 20);
}

#[tokio::test]
async fn a_slow_answer_is_no_stall() {
    let limits = ServerLimits {
        http_header_time: Duration::from_millis(20),
        http_idle_time: Duration::from_millis(20),
        http_stall_time: Duration::from_millis(20),
        handshake_timeout: Duration::from_millis(500),
        ..ServerLimits::default()
    };
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        "at last"
    });
    let (_server, addr, _stop) = listen_as(with(limits, Router::new().route("/slow", slow))).await;
    assert!(Kept::open(addr).await.get("/slow").await.ends_with("at last"));
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready_and_says_so_until_it_has_stopped() {
    let server = Arc::new(OnceLock::<Server>::new());
    let asked = server.clone();
    let ready = get(move || async move {
        match asked.get().unwrap().is_ready() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        }
    });
    let (running, addr, stop) = listen_as(with(
        ServerLimits::default(),
        Router::new().route("/readyz", ready),
    ))
    .await;
    server.set(running.clone()).unwrap();
    let client = Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
    let request = "GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(exchange(addr, request).await.starts_with("HTTP/1.1 200"));
    // A call that runs keeps the server from being gone.
    let waiting = tokio::spawn(call(&client, "Wait", &order("")).into_future());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut kept = Kept::open(addr).await;
    assert!(kept.get("/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(running.is_ready());
    drop(stop);
    while running.is_ready() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(exchange(addr, request).await.starts_with("HTTP/1.1 503"));
    assert!(exchange(addr, UPGRADE).await.starts_with("HTTP/1.1 503"));
    // Its last answer on a connection says that it is the last.
    let last = kept.get("/readyz").await;
    assert!(
        last.starts_with("HTTP/1.1 503") && last.contains("connection: close"),
        "{last}"
    );
    assert_eq!(kept.rest().await, "");
    waiting.abort();
}

#[tokio::test]
async fn a_stop_lets_answers_finish_and_closes_what_only_waits() {
    let (begun, go_on) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, held) = (begun.clone(), go_on.clone());
    let slow = get(move || async move {
        counted.fetch_add(1, Ordering::SeqCst);
        held.notified().await;
        "finished"
    });
    let routes = hello().route("/slow", slow);
    let (_server, addr, stop) = listen_as(with(ServerLimits::default(), routes)).await;
    let (mut idle, mut busy) = (Kept::open(addr).await, Kept::open(addr).await);
    assert!(idle.get("/hello").await.ends_with("hello"));
    busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(stop);
    assert_eq!(idle.rest().await, "");
    go_on.notify_one();
    assert!(busy.answer().await.ends_with("finished"));
    assert_eq!(busy.rest().await, "");
}
