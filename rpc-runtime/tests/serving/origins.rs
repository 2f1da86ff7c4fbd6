//! Pages of other origins, which a server does not let in.

use std::net::SocketAddr;

use http::{HeaderValue, Request, Response, header};
use rpc_protocol::COUNTING_SPAN;
use rpc_runtime::{Server, ServerLimits};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};
use tower::ServiceExt;

use crate::{
    handshake::{Socket, listen},
    probe::ProbeGateway,
    raw::Log,
};

async fn connect_from(addr: SocketAddr, origin: &[u8]) -> Result<(Socket, Response<Option<Vec<u8>>>), Error> {
    let mut request = format!("ws://{addr}/rpc").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("rpc.v1"));
    headers.insert(header::ORIGIN, HeaderValue::from_bytes(origin).unwrap());
    connect_async(request).await
}

async fn refused(addr: SocketAddr, origin: &[u8]) {
    match connect_from(addr, origin).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_answered_403_before_the_upgrade() {
    let (server, addr, _stop) = listen(ServerLimits::default()).await;
    refused(addr, b"http://evil.example").await;
    assert_eq!(server.connections(), 0);
    connect_from(addr, format!("http://{addr}").as_bytes())
        .await
        .expect("a page of this server");
}

/// The page is not told, and so whoever runs the server has to be.
#[tokio::test]
async fn a_refused_origin_is_one_line_in_the_log() {
    let (log, _guard) = Log::capture();
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    refused(addr, b"http://shop.example\x9b2J").await;
    let text = log.text();
    let told = lines(&log);
    assert_eq!(told.len(), 1, "{text}");
    assert!(
        told[0].contains("WARN")
            && told[0].contains("http://shop.example")
            && told[0].contains(&addr.to_string()),
        "{text}"
    );
    assert!(!text.contains('\u{9b}') && !text.contains('\u{1b}'), "{text}");
}

/// Without a socket, so that the clock can stand: what is counted is counted by the time.
#[tokio::test(start_paused = true)]
async fn many_refused_origins_are_not_many_lines_until_some_time_is_over() {
    let (log, _guard) = Log::capture();
    let server = Server::builder()
        .service(ProbeGateway::default())
        .build()
        .unwrap();
    for most in [10, 20] {
        for _ in 0..20 {
            let request = Request::get("/rpc")
                .header(header::HOST, "a.example")
                .header(header::CONNECTION, "Upgrade")
                .header(header::UPGRADE, "websocket")
                .header(header::SEC_WEBSOCKET_VERSION, "13")
                .header(header::SEC_WEBSOCKET_KEY, "AAAAAAAAAAAAAAAAAAAAAA==")
                .header(header::SEC_WEBSOCKET_PROTOCOL, "rpc.v1")
                .header(header::ORIGIN, "x".repeat(3_000))
                .body(())
                .unwrap();
            let answer = server.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), 403);
        }
        let lines = lines(&log);
        assert_eq!(lines.len(), most, "{}", log.text());
        assert!(lines.iter().all(|line| line.len() < 600), "{}", log.text());
        tokio::time::advance(COUNTING_SPAN).await;
    }
}

/// What the log says of refused origins.
fn lines(log: &Log) -> Vec<String> {
    let lines = log.lines().into_iter();
    lines.filter(|line| line.contains("allow_origin")).collect()
}
