//! From a socket to a connection, and what a client is told where there is none.

use std::{net::SocketAddr, time::Duration};

use futures_util::StreamExt;
use http::{HeaderValue, Response, header};
use rpc_protocol::CloseCode;
use rpc_runtime::{CallError, Client, Limits, Reconnect, Server, ServerBuilder, ServerLimits, StartError};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use crate::{
    probe::{Order, ProbeGateway, call, order, server, until},
    raw::Log,
};

/// A standalone server on a free port, stopped when the guard is dropped.
pub async fn listen(limits: ServerLimits) -> (Server, SocketAddr, oneshot::Sender<()>) {
    let builder = Server::builder().service(ProbeGateway::default());
    listen_as(builder.server_limits(limits)).await
}

/// The same, put together by the caller.
pub async fn listen_as(builder: ServerBuilder) -> (Server, SocketAddr, oneshot::Sender<()>) {
    let server = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = server.clone();
    tokio::spawn(async move {
        serving
            .serve_with_listener(listener, async { drop(stopped.await) })
            .await;
    });
    (server, addr, stop)
}

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn offer(addr: SocketAddr, offers: Option<&str>) -> Result<(Socket, Response<Option<Vec<u8>>>), Error> {
    let mut request = format!("ws://{addr}/rpc").into_client_request().unwrap();
    if let Some(offers) = offers {
        let offers = HeaderValue::from_str(offers).unwrap();
        request
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, offers);
    }
    connect_async(request).await
}

/// The raw answer to raw bytes, up to the end.
pub async fn exchange(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn calls_are_answered_over_a_real_socket_and_the_connection_is_known_to_the_handler() {
    let (server, addr, _stop) = listen(ServerLimits::default()).await;
    let client = Client::connect(&format!("ws://{addr}/rpc?room=7")).await.unwrap();
    assert_eq!(
        call(&client, "Echo", &order("milk")).await.unwrap(),
        order("milk")
    );
    let described = call(&client, "Describe", &Order::default()).await.unwrap();
    assert!(
        described.lines[0].text.ends_with("/rpc Some(\"room=7\")"),
        "{described:?}"
    );
    let large = Order {
        blob: vec![5; 900_000].into(),
        ..order("large")
    };
    assert_eq!(call(&client, "Echo", &large).await.unwrap(), large);
    assert_eq!(server.connections(), 1);
    drop(client);
    until("the connection is closed with its last handle", || {
        server.connections() == 0
    })
    .await;
}

#[tokio::test]
async fn our_subprotocol_is_selected_among_others_and_a_token_is_neither_echoed_nor_logged() {
    let (log, _guard) = Log::capture();
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let (mut socket, response) = offer(addr, Some("bearer.c2VjcmV0, other, rpc.v1")).await.unwrap();
    assert_eq!(response.headers()[header::SEC_WEBSOCKET_PROTOCOL], "rpc.v1");
    assert!(
        matches!(socket.next().await, Some(Ok(Message::Binary(_)))),
        "a greeting"
    );
    assert!(!log.text().contains("c2VjcmV0"), "{}", log.text());
}

#[tokio::test]
async fn unknown_subprotocols_are_answered_by_echoing_one_and_closing_with_4504() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let (mut socket, response) = offer(addr, Some("bearer.c2VjcmV0, chat.v7, other"))
        .await
        .unwrap();
    assert_eq!(response.headers()[header::SEC_WEBSOCKET_PROTOCOL], "chat.v7");
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!(u16::from(frame.code), 4504);
            assert!(frame.reason.contains("rpc.v1"), "{frame:?}");
        }
        other => panic!("no close frame: {other:?}"),
    }
}

#[tokio::test]
async fn a_handshake_without_a_subprotocol_is_closed_with_4504_and_a_reason() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let (mut socket, response) = offer(addr, None).await.unwrap();
    assert!(!response.headers().contains_key(header::SEC_WEBSOCKET_PROTOCOL));
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!(
                (u16::from(frame.code), frame.reason.as_str()),
                (4504, "no subprotocol: offer rpc.v1")
            );
        }
        other => panic!("no close frame: {other:?}"),
    }
    // Only a token: nothing may be echoed.
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n{key}\r\n\
         Sec-WebSocket-Protocol: bearer.c2VjcmV0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let count = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..count]).to_lowercase();
    assert!(
        answer.starts_with("http/1.1 101") && answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{answer}"
    );
    assert!(
        !answer.contains("sec-websocket-protocol") && !answer.contains("bearer"),
        "{answer}"
    );
}

/// A page is not told why it is refused, and so the log says it to whoever looks for it.
#[tokio::test]
async fn why_no_upgrade_came_about_is_in_the_log_with_the_address() {
    let (log, _guard) = Log::capture();
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let mut elsewhere = format!("ws://{addr}/elsewhere").into_client_request().unwrap();
    let headers = elsewhere.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rpc.v1"));
    assert!(connect_async(elsewhere).await.is_err());
    exchange(addr, "GET /rpc HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let lines = log.lines();
    for told in [
        "not upgraded: nothing is served on this path",
        "not upgraded: this is a WebSocket endpoint",
    ] {
        let line = lines.iter().find(|line| line.contains(told));
        let line = line.unwrap_or_else(|| panic!("{told}: {}", log.text()));
        assert!(line.contains("DEBUG") && line.contains("127.0.0.1"), "{line}");
    }
}

#[tokio::test]
async fn other_paths_are_404_and_what_is_no_upgrade_is_told_so() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let get = async |path: &str, more: &str| {
        exchange(
            addr,
            &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{more}\r\n"),
        )
        .await
    };
    assert!(get("/", "").await.starts_with("HTTP/1.1 404"));
    let answer = get("/rpc", "").await.to_lowercase();
    assert!(
        answer.starts_with("http/1.1 426") && answer.contains("upgrade: websocket"),
        "{answer}"
    );
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let answer = get("/rpc", &format!("{upgrade}Sec-WebSocket-Version: 8\r\n"))
        .await
        .to_lowercase();
    assert!(
        answer.starts_with("http/1.1 426") && answer.contains("sec-websocket-version: 13"),
        "{answer}"
    );
    let answer = get("/rpc", &format!("{upgrade}Sec-WebSocket-Version: 13\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_slow_handshake_is_closed_silently() {
    let (server, addr, _stop) = listen(ServerLimits {
        handshake_timeout: Duration::from_millis(100),
        ..ServerLimits::default()
    })
    .await;
    assert_eq!(exchange(addr, "GET /rpc HTTP/1.1\r\nHost: a\r\n").await, "");
    assert_eq!(exchange(addr, "").await, "");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn more_than_20_half_open_handshakes_of_one_address_are_closed_silently() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET /rpc HTTP/1.1\r\n").await.unwrap();
        slow.push(stream);
    }
    let mut one_more = TcpStream::connect(addr).await.unwrap();
    let mut answer = Vec::new();
    let _ = one_more.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{answer:?}");
    // A place is free again as soon as one of them is over.
    drop(slow.pop());
    for _ in 0..100 {
        if offer(addr, Some("rpc.v1")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the place is not free again");
}

#[tokio::test]
async fn a_refused_upgrade_does_not_keep_its_place_among_the_handshakes() {
    let limits = ServerLimits {
        connections: 0,
        handshakes: 1,
        // A place that was kept would be kept for the whole test, and the next request not be answered.
        handshake_timeout: Duration::from_secs(3_600),
        ..ServerLimits::default()
    };
    let (_server, addr, _stop) = listen(limits).await;
    let upgrade = "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    for (request, status) in [
        (upgrade, "HTTP/1.1 503"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404"),
        ("GET /rpc HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 426"),
    ] {
        // To the end of the connection, which the server brings about.
        let answer = exchange(addr, request).await;
        assert!(answer.starts_with(status), "{answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn headers_over_8_kib_are_refused() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let request = |bytes: usize| {
        format!(
            "GET /x HTTP/1.1\r\nConnection: close\r\nX: {}\r\n\r\n",
            "x".repeat(bytes)
        )
    };
    assert!(exchange(addr, &request(7_000)).await.starts_with("HTTP/1.1 404"));
    assert!(exchange(addr, &request(9_000)).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_connection_over_the_limit_is_answered_with_503_and_a_place_is_free_again_after_a_close() {
    let (server, addr, _stop) = listen(ServerLimits {
        connections: 2,
        ..ServerLimits::default()
    })
    .await;
    let url = format!("ws://{addr}/rpc");
    let (first, _second) = (
        Client::connect(&url).await.unwrap(),
        Client::connect(&url).await.unwrap(),
    );
    match Client::connect(&url).await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.http_status(), Some(503)),
        other => panic!("not refused: {other:?}"),
    }
    drop(first);
    until("a place is free", || server.connections() == 1).await;
    until("and given", || server.connections() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    Client::connect(&url).await.unwrap();
}

#[tokio::test]
async fn errors_tell_apart_refused_closed_timed_out_and_status() {
    let (_server, addr, stop) = listen(ServerLimits::default()).await;
    for url in [
        "ws://127.0.0.1:1/rpc",
        &format!("ws://{addr}/elsewhere"),
        "http://x/",
        "nonsense",
        "wss://x/",
    ] {
        match Client::connect(url).await {
            Err(CallError::Refused(refused)) => {
                assert_eq!(
                    refused.http_status(),
                    url.contains("elsewhere").then_some(404),
                    "{refused}"
                );
                assert!(refused.to_string().contains(url), "{refused}");
            }
            other => panic!("{url} is not refused: {other:?}"),
        }
    }
    let client = Client::connect(&format!("ws://{addr}/rpc")).await.unwrap();
    let timed_out = call(&client, "Wait", &order(""))
        .timeout(Duration::from_millis(20))
        .await;
    assert!(matches!(timed_out, Err(CallError::TimedOut(_))), "{timed_out:?}");
    let status = call(&client, "Missing", &order("")).await;
    assert!(matches!(status, Err(CallError::Status(_))), "{status:?}");
    let waiting = tokio::spawn(call(&client, "Wait", &order("")).into_future());
    let left = tokio::spawn(call(&client, "Leave", &order("")).into_future());
    left.await.unwrap().unwrap();
    for outcome in [waiting.await.unwrap(), call(&client, "Echo", &order("")).await] {
        match outcome {
            Err(CallError::Closed(closed)) => {
                assert_eq!(closed.close_code(), CloseCode::Other(4_900));
                assert_eq!(closed.reason(), "you asked for it");
            }
            other => panic!("not closed: {other:?}"),
        }
    }
    drop(stop);
}

#[tokio::test]
async fn a_server_that_just_vanishes_closes_its_calls_with_1006() {
    let (near, far) = tokio::io::duplex(1024);
    let client = Client::from_io(near);
    let waiting = tokio::spawn(call(&client, "Wait", &order("")).into_future());
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(far);
    match waiting.await.unwrap() {
        Err(CallError::Closed(closed)) => assert_eq!(closed.close_code(), CloseCode::Abnormal),
        other => panic!("not closed: {other:?}"),
    }
    assert_eq!(client.closed().await.close_code(), CloseCode::Abnormal);
}

#[tokio::test]
async fn a_port_in_use_is_one_clear_error() {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let error = Server::builder()
        .service(ProbeGateway::default())
        .serve(addr)
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on {addr}: ")),
        "{error}"
    );
}

#[tokio::test]
async fn it_mounts_into_axum() {
    let (server, _) = server(Limits::default());
    let app = axum::Router::new()
        .route("/hello", axum::routing::get(|| async { "hello" }))
        .route_service("/api/rpc", server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    let answer = exchange(
        addr,
        "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.ends_with("hello"), "{answer}");
    let client = Client::builder(format!("ws://{addr}/api/rpc")).reconnect(Reconnect::never());
    let client = client.connect().await.unwrap();
    let large = Order {
        blob: vec![5; 500_000].into(),
        ..order("large")
    };
    assert_eq!(call(&client, "Echo", &large).await.unwrap(), large);
    server.shutdown().await;
    assert_eq!(client.closed().await.close_code(), CloseCode::Restart);
    // axum goes on accepting; a stopped server lets nobody in.
    match Client::connect(&format!("ws://{addr}/api/rpc")).await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.http_status(), Some(503)),
        other => panic!("not refused: {other:?}"),
    }
}
