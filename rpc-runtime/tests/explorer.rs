//! The explorer beside the endpoints: on the server's own port, and in a router.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{future::pending, net::SocketAddr};

use axum::{Router, body::Body, http::Request, routing::get};
use http_body_util::BodyExt;
use rpc_runtime::{Client, Endpoint, Server, ServerBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

fn explored() -> ServerBuilder {
    Server::builder()
        .explorer("/explorer")
        .endpoint("/auth", Endpoint::new())
}

/// What a server answers on its own port: the first line, and the body.
async fn ask(server: &Server, path: &str) -> (String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.clone();
    let serving = tokio::spawn(async move { server.serve_with_listener(listener, pending()).await });
    let answer = ask_at(address, path).await;
    serving.abort();
    answer
}

/// The same, of whatever listens there.
async fn ask_at(address: SocketAddr, path: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn it_is_served_on_the_servers_port_and_told_where_the_endpoints_are() {
    let server = explored().build().unwrap();
    let (status, body) = ask(&server, "/explorer/").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert!(body.starts_with("<!doctype html>"), "{body}");
    let (_, told) = ask(&server, "/explorer/endpoints.json").await;
    assert_eq!(told, r#"{"endpoints":["../rpc","../auth"]}"#);
}

#[tokio::test]
async fn what_is_not_the_explorers_is_answered_as_without_it() {
    let alone = explored().build().unwrap();
    assert_eq!(ask(&alone, "/").await.0, "HTTP/1.1 404 Not Found");
    assert_eq!(ask(&alone, "/rpc").await.0, "HTTP/1.1 426 Upgrade Required");

    let own = Router::new().fallback(get(|| async { "the program's" }));
    let server = explored().http(own).build().unwrap();
    for path in ["/", "/explorers", "/rpc"] {
        assert_eq!(ask(&server, path).await.1, "the program's", "{path}");
    }
    assert!(ask(&server, "/explorer/").await.1.starts_with("<!doctype html>"));
}

#[tokio::test]
async fn no_server_has_it_that_does_not_turn_it_on() {
    let server = Server::builder().build().unwrap();
    assert_eq!(ask(&server, "/explorer/").await.0, "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn a_router_that_a_server_is_mounted_into_has_it_too() {
    let server = explored().build().unwrap();
    let router = Router::new()
        .route_service("/rpc", server.clone())
        .route_service("/explorer/", server.clone())
        .route_service("/explorer/{*file}", server);
    for (path, begins) in [
        ("/explorer/", "<!doctype html>"),
        ("/explorer/endpoints.json", "{\"endpoints\""),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(begins.as_bytes()), "{path}");
    }
}

#[tokio::test]
async fn upgrades_are_the_endpoints_below_the_explorers_path_as_well_on_the_servers_port_and_in_a_router() {
    for (explorer, endpoints) in [("/", ["/rpc", "/auth"]), ("/api", ["/api/rpc", "/api/auth"])] {
        let server = Server::builder()
            .explorer(explorer)
            .path(endpoints[0])
            .endpoint(endpoints[1], Endpoint::new())
            .build()
            .unwrap();
        let own = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mounted = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let doors = [own.local_addr().unwrap(), mounted.local_addr().unwrap()];
        let serving = [
            tokio::spawn({
                let server = server.clone();
                async move { server.serve_with_listener(own, pending()).await }
            }),
            tokio::spawn(async move {
                let router = Router::new().fallback_service(server);
                axum::serve(mounted, router).await.unwrap();
            }),
        ];
        for (door, address) in ["own", "mounted"].into_iter().zip(doors) {
            for endpoint in endpoints {
                let connected = Client::connect(&format!("ws://{address}{endpoint}")).await;
                assert!(connected.is_ok(), "{door} {endpoint}: {connected:?}");
                let (status, _) = ask_at(address, endpoint).await;
                assert_eq!(status, "HTTP/1.1 426 Upgrade Required", "{door} {endpoint}");
            }
            let base = explorer.trim_end_matches('/');
            let (_, page) = ask_at(address, &format!("{base}/")).await;
            assert!(page.starts_with("<!doctype html>"), "{door} {base}: {page}");
            let (status, _) = ask_at(address, &format!("{base}/nothing")).await;
            assert_eq!(status, "HTTP/1.1 404 Not Found", "{door} {base}");
        }
        for task in serving {
            task.abort();
        }
    }
}
