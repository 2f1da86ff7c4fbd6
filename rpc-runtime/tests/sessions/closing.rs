//! The close frame: what is in it, and that it is the last.

use std::{sync::Arc, time::Duration};

use rpc_runtime::{Client, CloseCode, Hooks, Refusal, Server, ServerLimits, Session};
use tokio::io::AsyncReadExt;

use crate::{
    house::{Act, House, Journal, Watcher, Words, endpoint},
    peer::{Peer, info, serve, serve_within, settle},
};

/// The opcodes of all frames that come up to the end of the socket, which nobody answers.
async fn opcodes(mut peer: Peer) -> Vec<u8> {
    let mut bytes = Vec::new();
    peer.socket.get_mut().read_to_end(&mut bytes).await.unwrap();
    let mut rest = &bytes[..];
    let mut opcodes = Vec::new();
    while let [first, length, tail @ ..] = rest {
        opcodes.push(first & 0x0f);
        assert!(*length < 126, "short frames of a server");
        rest = &tail[usize::from(*length)..];
    }
    opcodes
}

const CLOSE: u8 = 8;

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_behind_the_close_frame_whatever_is_asked_for() {
    let limits = ServerLimits {
        drain_grace: Duration::from_millis(1),
        ..ServerLimits::default()
    };
    let server = serve_within(endpoint(&House::default(), &Words::default()), limits);
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Wait", "").await;
    settle().await;
    let session = server.sessions().next().unwrap();
    // Both are in one letter to the connection, and the stop comes while it waits for the client's close frame.
    session.close(CloseCode::Other(4_900), "away");
    let pinging = tokio::spawn({
        let session = session.clone();
        async move { session.ping().await }
    });
    settle().await;
    let stopping = tokio::spawn(async move { server.shutdown().await });
    assert_eq!(opcodes(peer).await, [CLOSE]);
    assert_eq!(pinging.await.unwrap(), None);
    stopping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_a_hook_asks_for_does_not_come_before_the_greeting() {
    struct Pings;
    impl Hooks for Pings {
        async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
            assert_eq!(session.ping().await, None);
            Ok(())
        }
    }
    let server = serve(endpoint(&House::default(), &Words::default()).hooks(Pings));
    let began = tokio::time::Instant::now();
    let mut peer = Peer::begin(&server, info()).await;
    let first = peer.any_frame().await;
    assert!(
        matches!(first.kind, rpc_protocol::FrameKind::Greeting(_)),
        "{first:?}"
    );
    assert!(began.elapsed().as_secs() < 1, "nobody waits for its answer");
}

#[tokio::test(start_paused = true)]
async fn codes_that_no_close_frame_may_carry_are_sent_as_1000_by_both_sides() {
    for code in [1004, 1005, 1006, 1015, 0, 2_000, 5_000].map(CloseCode::from_u16) {
        let journal = Journal::default();
        let server =
            serve(endpoint(&House::default(), &Words::default()).hooks(Watcher::new("hook", &journal)));
        let mut peer = Peer::connect(&server).await;
        let session = server.sessions().next().unwrap();
        session.close(code, "a mistake");
        assert_eq!(peer.closed().await, (1000, "a mistake".to_owned()), "{code}");
        peer.gone().await;
        assert_eq!(journal.of("hook disconnect "), ["1000 a mistake"], "{code}");

        let refuses = Watcher {
            connect: Act::Refuse(code),
            ..Watcher::default()
        };
        let refusing = serve(endpoint(&House::default(), &Words::default()).hooks(refuses));
        let mut peer = Peer::begin(&refusing, info()).await;
        assert_eq!(peer.closed().await.0, 1000, "{code}");

        let (near, far) = tokio::io::duplex(64 * 1024);
        let serving = tokio::spawn(served(&server, far));
        let client = Client::from_io(near);
        client.greeted().await.unwrap();
        client.close(code, "a mistake");
        serving.await.unwrap();
        settle().await;
        assert_eq!(journal.of("hook disconnect ")[1], "1000 a mistake", "{code}");
    }
}

fn served(server: &Server, far: tokio::io::DuplexStream) -> impl Future<Output = ()> + Send + use<> {
    server.serve_connection(far, info())
}
