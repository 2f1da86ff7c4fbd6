//! Pages of other origins, which a server does not let in.

use std::net::SocketAddr;

use http::{HeaderValue, Response, header};
use rpc_runtime::ServerLimits;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest},
};

use crate::{
    handshake::{Socket, listen},
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
async fn a_refused_origin_is_one_line_in_the_log_and_many_are_not_many() {
    let (log, _guard) = Log::capture();
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    refused(addr, b"http://shop.example\x9b2J").await;
    let text = log.text();
    let told: Vec<_> = log
        .lines()
        .into_iter()
        .filter(|line| line.contains("allow_origin"))
        .collect();
    assert_eq!(told.len(), 1, "{text}");
    assert!(
        told[0].contains("WARN")
            && told[0].contains("http://shop.example")
            && told[0].contains(&addr.to_string()),
        "{text}"
    );
    assert!(!text.contains('\u{9b}') && !text.contains('\u{1b}'), "{text}");
    for _ in 0..20 {
        refused(addr, &[b'x'; 3_000]).await;
    }
    let lines = log.lines();
    let told = lines.iter().filter(|line| line.contains("allow_origin")).count();
    assert_eq!(told, 10, "{}", log.text());
    assert!(lines.iter().all(|line| line.len() < 600), "{}", log.text());
}
