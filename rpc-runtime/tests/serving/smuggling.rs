//! Requests in which one reader sees something else than another: nothing of them is taken for what it is not.

use std::time::Duration;

use rpc_runtime::ServerLimits;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::handshake::listen;

/// A request for an upgrade by this method, with these lines in its header and this behind it.
fn upgrade(method: &str, lines: &str, behind: &str) -> String {
    format!(
        "{method} /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: rpc.v1\r\n{lines}\r\n{behind}"
    )
}

/// The statuses of all answers, and what came in all.
async fn statuses(request: &str) -> (Vec<String>, Vec<u8>) {
    let (_server, addr, _stop) = listen(ServerLimits::default()).await;
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // How it ends is not looked at: what was not read resets a connection.
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer))
        .await
        .expect("an end");
    let heads = String::from_utf8_lossy(&answer);
    let statuses = heads
        .match_indices("HTTP/1.1 ")
        .map(|(at, found)| heads[at + found.len()..][..3].to_owned());
    (statuses.collect(), answer)
}

#[tokio::test]
async fn a_request_for_an_upgrade_that_has_a_body_is_refused() {
    for (lines, body) in [
        ("Content-Length: 5\r\n", "hello"),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
        // Another request as a body.
        ("Content-Length: 33\r\n", "GET /other HTTP/1.1\r\nHost: b\r\n\r\n"),
    ] {
        let (statuses, answer) = statuses(&upgrade("GET", lines, body)).await;
        assert_eq!(
            statuses,
            ["400"],
            "{lines:?} {:?}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test]
async fn what_follows_an_upgrade_is_websocket_and_never_another_request() {
    let behind = "GET /other HTTP/1.1\r\nHost: b\r\n\r\n";
    for lines in ["", "Content-Length: 0\r\n"] {
        let (statuses, answer) = statuses(&upgrade("GET", lines, behind)).await;
        assert_eq!(statuses, ["101"], "{lines:?}");
        // A frame that is not masked: 1002, behind the greeting.
        let close = answer
            .windows(4)
            .any(|bytes| bytes[0] == 0x88 && bytes[2..] == 1_002_u16.to_be_bytes());
        assert!(close, "{lines:?} {answer:?}");
    }
}

#[tokio::test]
async fn only_get_asks_for_an_upgrade() {
    for method in ["HEAD", "OPTIONS", "POST", "PUT", "get"] {
        let (statuses, _) = statuses(&upgrade(method, "", "")).await;
        assert_eq!(statuses, ["426"], "{method}");
    }
}

#[tokio::test]
async fn lengths_that_contradict_each_other_are_answered_400_and_nothing_behind_them() {
    for lines in [
        "Content-Length: 0\r\nContent-Length: 5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        let (statuses, _) = statuses(&upgrade("GET", lines, "hello")).await;
        assert_eq!(statuses, ["400"], "{lines:?}");
    }
}
