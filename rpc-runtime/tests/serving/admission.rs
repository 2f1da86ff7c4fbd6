//! How many are let in, how often, and from where.

use std::{io::Write, net::SocketAddr, time::Duration};

use futures_util::StreamExt;
use http::{HeaderName, header};
use rpc_runtime::{
    CallError, Client, ConnectionState, Limits, Rate, Reconnect, Server, ServerBuilder, ServerLimits,
    StartError,
};
use tokio::{io::AsyncReadExt, time::Instant};

use crate::{
    authenticating::{self, Answer, Words, bearer, shake},
    handshake::{exchange, listen, listen_as},
    probe::{ProbeGateway, call, order, until},
};

/// None comes back while a test runs.
const HOUR: Duration = Duration::from_secs(3_600);

fn burst(count: u32) -> Rate {
    Rate::per(1, HOUR).burst(count)
}

fn retry_after(answer: &Answer) -> u64 {
    let Answer::Http(response) = answer else {
        panic!("let in: {answer:?}");
    };
    let seconds = response.headers()[header::RETRY_AFTER].to_str().unwrap();
    seconds.parse().unwrap()
}

#[tokio::test]
async fn the_21st_connect_of_one_address_is_429_with_a_time_to_come_back_after() {
    let defaults = ServerLimits::default();
    assert_eq!(defaults.connects_per_address, Rate::per_second(5).burst(20));
    let (server, addr, _stop) = listen(ServerLimits {
        connects_per_address: burst(20),
        ..defaults
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(Client::connect(&format!("ws://{addr}/rpc")).await.unwrap());
    }
    let answer = shake(addr, &[]).await;
    assert_eq!(answer.http(), 429);
    assert!((30..=31).contains(&retry_after(&answer)), "{answer:?}");
    // A browser is answered the same.
    let page = (header::ORIGIN, format!("http://{addr}"));
    assert_eq!(shake(addr, &[page]).await.http(), 429);
    assert_eq!(server.connections(), 20);
    // What is no attempt to connect is not counted, and not refused.
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    assert!(exchange(addr, request).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_page_of_another_origin_takes_nothing_from_its_visitors_address() {
    let (_server, addr, _stop) = listen(ServerLimits {
        connects_per_address: burst(1),
        ..ServerLimits::default()
    })
    .await;
    for _ in 0..5 {
        let evil = (header::ORIGIN, "https://evil.example".to_owned());
        assert_eq!(shake(addr, &[evil]).await.http(), 403);
    }
    assert!(matches!(shake(addr, &[]).await, Answer::Greeted));
}

/// Clients that ask for an upgrade and close their sockets before the server, which has not been polled yet, has looked at them.
fn give_up(addr: SocketAddr, count: usize) {
    for _ in 0..count {
        let mut socket = std::net::TcpStream::connect(addr).unwrap();
        let request = "GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: rpc.v1\r\n\r\n";
        socket.write_all(request.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn who_has_given_up_in_the_listeners_queue_is_not_let_in_in_the_place_of_another() {
    for pages in [false, true] {
        let limits = ServerLimits {
            connects: burst(1),
            ..ServerLimits::default()
        };
        let mut builder = Server::builder()
            .service(ProbeGateway::default())
            .server_limits(limits);
        if pages {
            builder = builder.http(axum::Router::new().route("/page", axum::routing::get(async || "a page")));
        }
        let (server, addr, _stop) = listen_as(builder).await;
        give_up(addr, 10);
        let answer = shake(addr, &[]).await;
        assert!(matches!(answer, Answer::Greeted), "{pages}: {answer:?}");
        assert_eq!(shake(addr, &[]).await.http(), 503, "one is let in");
        drop(server);
    }
}

#[tokio::test]
async fn a_page_is_answered_to_a_client_that_has_closed_its_end_behind_the_request() {
    let pages = axum::Router::new().route("/page", axum::routing::get(async || "a page"));
    let builder = Server::builder().service(ProbeGateway::default()).http(pages);
    let (_server, addr, _stop) = listen_as(builder).await;
    let mut socket = std::net::TcpStream::connect(addr).unwrap();
    socket
        .write_all(b"GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut answer = String::new();
    let mut socket = tokio::net::TcpStream::from_std(socket).unwrap();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("a page"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_storm_of_connects_is_answered_503_with_different_times_to_come_back_after() {
    let (_server, addr, _stop) = listen(ServerLimits {
        connects_per_address: Rate::per_second(1_000_000),
        // Nobody comes back while the test runs; and who is turned away is told the next place of 100 in 10 s.
        connects: Rate::per(100, Duration::from_secs(1_000)).burst(1),
        ..ServerLimits::default()
    })
    .await;
    assert!(matches!(shake(addr, &[]).await, Answer::Greeted));
    let mut told = Vec::new();
    for _ in 0..3 {
        let answer = shake(addr, &[]).await;
        assert_eq!(answer.http(), 503);
        told.push(retry_after(&answer));
    }
    assert!((10..=11).contains(&told[0]), "{told:?}");
    assert!(told[1] >= told[0] + 8 && told[2] >= told[1] + 8, "{told:?}");
}

#[tokio::test]
async fn connections_of_one_address_are_bounded_and_a_place_comes_back_with_a_close() {
    let (server, addr, _stop) = listen(ServerLimits {
        connections_per_address: 2,
        ..ServerLimits::default()
    })
    .await;
    let url = format!("ws://{addr}/rpc");
    let (first, _second) = (
        Client::connect(&url).await.unwrap(),
        Client::connect(&url).await.unwrap(),
    );
    let answer = shake(addr, &[]).await;
    assert_eq!(answer.http(), 429);
    assert!((1..=5).contains(&retry_after(&answer)));
    drop(first);
    until("the first has gone", || server.connections() == 1).await;
    // The list forgets the session a moment before its place is free.
    for _ in 0..200 {
        if Client::connect(&url).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the place is not free again");
}

#[tokio::test]
async fn our_client_comes_back_after_the_time_that_it_is_told() {
    let (_server, addr, _stop) = listen(ServerLimits {
        connects_per_address: Rate::per(1, Duration::from_millis(500)).burst(1),
        ..ServerLimits::default()
    })
    .await;
    let url = format!("ws://{addr}/rpc");
    let _first = Client::connect(&url).await.unwrap();
    let second = Client::builder(&url)
        .reconnect(Reconnect {
            attempts: Some(3),
            ..Reconnect::default()
        })
        .lazy()
        .unwrap();
    let began = Instant::now();
    let mut states = second.state_changes();
    let waiting = tokio::spawn(call(&second, "Echo", &order("milk")).into_future());
    let until = loop {
        match states.next().await {
            Some(ConnectionState::Waiting { until }) => break until,
            Some(_) => {}
            None => panic!("it does not wait"),
        }
    };
    // At least the second that it was told; it would have tried after at most 400 ms.
    assert!(until - began >= Duration::from_secs(1), "{:?}", until - began);
    drop(waiting);
    tokio::time::timeout(Duration::from_secs(30), second.ready())
        .await
        .expect("in time")
        .unwrap();
}

/// Trusts proxies on loopback.
fn behind_a_proxy(words: &Words, per_address: u32) -> ServerBuilder {
    let limits = ServerLimits {
        connects_per_address: burst(per_address),
        ..ServerLimits::default()
    };
    authenticating::builder(words)
        .server_limits(limits)
        .trusted_proxies(["127.0.0.0/8", "10.0.0.0/8"])
}

fn forwarded(addresses: &str) -> (HeaderName, String) {
    (HeaderName::from_static("x-forwarded-for"), addresses.to_owned())
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_rate_of_its_own_and_is_known_by_its_address() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(behind_a_proxy(&words, 1)).await;
    for client in ["198.51.100.7", "6.6.6.6, 198.51.100.8, 10.0.0.3"] {
        let headers = [forwarded(client), bearer("good")];
        assert!(matches!(shake(addr, &headers).await, Answer::Greeted), "{client}");
        assert_eq!(shake(addr, &headers).await.http(), 429, "{client}");
    }
    // What comes first was invented by the client, and gives it no other rate.
    let invented = [forwarded("7.7.7.7, 198.51.100.7"), bearer("good")];
    assert_eq!(shake(addr, &invented).await.http(), 429);
    let sessions = words.sessions.lock().unwrap();
    let addresses = |at: usize| {
        let info = sessions[at].info();
        let socket = info.remote_addr().unwrap().ip().to_string();
        (info.client_addr().unwrap().to_string(), socket)
    };
    let loopback = "127.0.0.1".to_owned();
    assert_eq!(addresses(0), ("198.51.100.7".to_owned(), loopback.clone()));
    assert_eq!(addresses(1), ("198.51.100.8".to_owned(), loopback));
}

#[tokio::test]
async fn what_cannot_be_read_counts_as_the_proxy_and_nobody_else_is_believed() {
    let words = Words::default();
    let (_server, addr, _stop) = listen_as(behind_a_proxy(&words, 1)).await;
    let headers = [forwarded("198.51.100.7, nonsense"), bearer("good")];
    assert!(matches!(shake(addr, &headers).await, Answer::Greeted));
    let other = [forwarded("198.51.100.8, other nonsense"), bearer("good")];
    assert_eq!(shake(addr, &other).await.http(), 429);

    let limits = ServerLimits {
        connects_per_address: burst(1),
        ..ServerLimits::default()
    };
    let builder = authenticating::builder(&words)
        .server_limits(limits)
        .trusted_proxies(["10.0.0.0/8"]);
    let (_server, addr, _stop) = listen_as(builder).await;
    for (client, let_in) in [("198.51.100.7", true), ("198.51.100.8", false)] {
        let answer = shake(addr, &[forwarded(client), bearer("good")]).await;
        assert_eq!(matches!(answer, Answer::Greeted), let_in, "{client}: {answer:?}");
    }
    let sessions = words.sessions.lock().unwrap();
    let info = sessions.last().unwrap().info().clone();
    assert_eq!(
        info.client_addr(),
        info.remote_addr().map(|remote: SocketAddr| remote.ip())
    );
}

#[tokio::test]
async fn half_open_handshakes_of_a_trusted_proxy_are_not_those_of_one_client() {
    let words = Words::default();
    let limits = ServerLimits {
        handshakes_per_address: 1,
        ..ServerLimits::default()
    };
    let builder = behind_a_proxy(&words, 100).server_limits(limits);
    let (_server, addr, _stop) = listen_as(builder).await;
    let _half_open = tokio::net::TcpStream::connect(addr).await.unwrap();
    let _other = tokio::net::TcpStream::connect(addr).await.unwrap();
    assert!(matches!(shake(addr, &[bearer("good")]).await, Answer::Greeted));
}

#[test]
fn a_rate_that_lets_nobody_in_and_a_network_that_is_none_do_not_start() {
    let refusal = |builder: ServerBuilder| builder.build().unwrap_err();
    let probe = || {
        Server::builder()
            .service(ProbeGateway::default())
            .limits(Limits::default())
    };
    let none = ServerLimits {
        connects: Rate::per_second(0),
        ..ServerLimits::default()
    };
    let error = refusal(probe().server_limits(none));
    assert!(
        matches!(
            error,
            StartError::Limit {
                limit: "connects",
                ..
            }
        ),
        "{error}"
    );
    let error = refusal(probe().trusted_proxies(["proxy.example"]));
    assert!(matches!(error, StartError::TrustedProxy { .. }), "{error}");
}

#[tokio::test]
async fn a_client_that_waits_for_nothing_is_told_why_it_is_not_let_in() {
    let (_server, addr, _stop) = listen(ServerLimits {
        connects_per_address: burst(1),
        ..ServerLimits::default()
    })
    .await;
    let url = format!("ws://{addr}/rpc");
    let _first = Client::connect(&url).await.unwrap();
    match Client::connect(&url).await {
        Err(CallError::Refused(refused)) => {
            assert_eq!(refused.http_status(), Some(429));
            assert!(
                refused
                    .retry_after()
                    .is_some_and(|wait| wait >= Duration::from_secs(1))
            );
        }
        other => panic!("{other:?}"),
    }
}
