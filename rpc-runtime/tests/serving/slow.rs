//! Clients that take all the time there is, and those who come beside them.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    time::Duration,
};

use rpc_runtime::{Rate, Server, ServerLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::{handshake::listen_as, probe::ProbeGateway};

const UPGRADE: &[u8] = b"GET /rpc HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                         Sec-WebSocket-Protocol: rpc.v1\r\n\r\n";

/// Whether a client of an address is upgraded; `false` where its connection is closed instead.
async fn is_let_in(addr: SocketAddr, from: [u8; 4]) -> bool {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(addr).await.unwrap();
    let mut answer = [0; 12];
    let answered = async {
        stream.write_all(UPGRADE).await?;
        stream.read_exact(&mut answer).await
    };
    answered.await.is_ok() && &answer == b"HTTP/1.1 101"
}

fn limits() -> ServerLimits {
    ServerLimits {
        connects_per_address: Rate::per_second(1_000_000),
        ..ServerLimits::default()
    }
}

const OTHER: [u8; 4] = [127, 0, 0, 2];

#[cfg(target_os = "linux")]
#[tokio::test]
async fn slow_handshakes_of_one_address_keep_no_other_out() {
    let limits = ServerLimits {
        handshake_timeout: Duration::from_secs(3_600),
        ..limits()
    };
    let builder = Server::builder()
        .service(ProbeGateway::default())
        .server_limits(limits);
    let (_server, addr, _stop) = listen_as(builder).await;
    let mut slow = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // Beyond the 20th it is closed, which may be seen here or not.
        let _ = stream.write_all(b"GET /rpc HTTP/1.1\r\nX: ").await;
        slow.push(stream);
    }
    assert!(!is_let_in(addr, [127, 0, 0, 1]).await);
    for _ in 0..50 {
        assert!(is_let_in(addr, OTHER).await);
    }
}

/// Run by `cargo xtask slowhttptest`, which sees to the program.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "needs the program slowhttptest: cargo xtask slowhttptest"]
async fn slowhttptest_keeps_no_other_out() {
    let hello = axum::Router::new().route("/hello", axum::routing::any(|body: String| async move { body }));
    let limits = ServerLimits {
        http_stall_time: Duration::from_secs(5),
        http_idle_time: Duration::from_secs(5),
        ..limits()
    };
    let builder = Server::builder()
        .service(ProbeGateway::default())
        .server_limits(limits)
        .http(hello);
    let (server, addr, _stop) = listen_as(builder).await;
    // Slow headers to the endpoint and to the pages, slow bodies, and slow reading.
    for (how, path) in [("-H", "rpc"), ("-H", "hello"), ("-B", "hello"), ("-X", "hello")] {
        let url = format!("http://{addr}/{path}");
        let mut attack = Command::new("slowhttptest")
            .args([how, "-c", "500", "-r", "500", "-i", "1", "-l", "10", "-u", &url])
            .stdout(Stdio::null())
            .spawn()
            .expect("slowhttptest is installed");
        let mut let_in = 0;
        while attack.try_wait().unwrap().is_none() {
            assert!(is_let_in(addr, OTHER).await, "{how} /{path} keeps others out");
            let_in += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!(
            "slowhttptest {how} /{path}: {let_in} clients of another address were let in, none kept out"
        );
        assert!(let_in > 10, "the attack did not last");
    }
    // Its own address has its places again.
    for _ in 0..1_000 {
        if is_let_in(addr, [127, 0, 0, 1]).await {
            drop(server);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the places of slow clients are not free again");
}
