//! A crowd whose connections are lost together: its sessions end at once, and its sockets are closed one after the other.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use rpc_runtime::{Rate, Server, ServerLimits};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    time::{Instant, sleep},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::protocol::Role};

use crate::{
    house::{House, Journal, Watcher, Words, endpoint},
    peer::{Peer, REFRESH, info, serve_within, settle},
};

/// A server's socket, which counts itself when it is closed.
struct Counted(DuplexStream, Arc<AtomicUsize>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server that closes ten sockets at once and a hundred in a second, and lets a user have one connection.
struct Place {
    server: Server,
    journal: Journal,
    closed: Arc<AtomicUsize>,
}

impl Place {
    fn new() -> Self {
        let (house, words) = (House::default(), Words::default());
        let journal = words.journal.clone();
        let limits = ServerLimits {
            disconnects: Rate::per_second(100).burst(10),
            connects: Rate::per_second(100).burst(1_000),
            connections_per_user: 1,
            ..ServerLimits::default()
        };
        let endpoint = endpoint(&house, &words).hooks(Watcher::new("hook", &journal));
        Self {
            server: serve_within(endpoint, limits),
            journal,
            closed: Arc::default(),
        }
    }

    async fn connect(&self, user: &str) -> Peer {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let far = Counted(far, self.closed.clone());
        let serving = tokio::spawn(self.server.serve_connection(far, info()));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        let mut peer = Peer { socket, serving };
        peer.greeting().await;
        peer.authenticate(1, REFRESH, user).await.expect("is let in");
        peer
    }

    async fn crowd(&self, count: usize) -> Vec<Peer> {
        let mut peers = Vec::new();
        for number in 0..count {
            peers.push(self.connect(&format!("user-{number}")).await);
        }
        peers
    }

    fn closed(&self) -> usize {
        self.closed.load(Ordering::SeqCst)
    }

    fn told(&self) -> usize {
        self.journal.of("hook disconnect").len()
    }
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_is_lost_at_once_has_gone_at_once_and_its_sockets_are_closed_at_a_rate() {
    let place = Place::new();
    let mut stays = place.connect("ali").await;
    let crowd = place.crowd(200).await;
    assert_eq!(place.server.connections(), 201);
    let began = Instant::now();
    drop(crowd);
    settle().await;
    assert_eq!(place.closed(), 10);
    assert_eq!((place.server.connections(), place.told()), (1, 200));
    // The dead do not hold the places of those that come back.
    let returned = place.connect("user-199").await;
    assert!(stays.ask(3, "Who").await.is_ok());
    assert_eq!(began.elapsed(), Duration::ZERO, "none of that waited");

    sleep(Duration::from_millis(1_001)).await;
    assert_eq!(place.closed(), 110);
    sleep(Duration::from_secs(1)).await;
    assert_eq!(place.closed(), 200);
    drop((stays, returned));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_alone_is_closed_at_once() {
    let place = Place::new();
    let began = Instant::now();
    for user in 0..10 {
        drop(place.connect(&format!("user-{user}")).await);
        settle().await;
        assert_eq!((place.closed(), place.told()), (user + 1, user + 1));
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_does_not_wait_for_the_sockets_of_a_crowd_that_has_gone() {
    let place = Place::new();
    drop(place.crowd(200).await);
    settle().await;
    let began = Instant::now();
    place.server.shutdown().await;
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn who_drops_a_connection_whose_socket_waits_closes_it_and_tells_nothing_twice() {
    let place = Place::new();
    let crowd = place.crowd(50).await;
    let serving: Vec<_> = crowd.into_iter().map(|peer| peer.serving).collect();
    settle().await;
    assert_eq!((place.closed(), place.told()), (10, 50));
    serving.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    assert_eq!((place.closed(), place.told()), (50, 50));
}
