//! How sessions end: hooks are told once, with the code and the reason, and everything is cleaned up.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::SinkExt;
use rpc_protocol::FrameKind;
use rpc_runtime::{CloseCode, Code, Limits, Server, SessionState};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf},
    sync::Notify,
    time::Instant,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode as WsCode},
};

use crate::{
    house::{Act, House, Journal, Watcher, Words, endpoint},
    peer::{Peer, REFRESH, info, serve, settle},
};

fn watched() -> (Server, House, Journal) {
    let (house, words) = (House::default(), Words::default());
    let journal = words.journal.clone();
    let limits = Limits {
        pong_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let endpoint = endpoint(&house, &words).limits(limits);
    let server = serve(endpoint.hooks(Watcher::new("hook", &journal)));
    (server, house, journal)
}

/// A way for a session to end.
#[derive(Debug, Clone, Copy)]
enum Way {
    PeerCloses,
    PeerClosesWithoutACode,
    SocketEnds,
    SocketEndsInsideAMessage,
    PeerIsSilent,
    PeerBreaksTheProtocol,
    PeerSendsText,
    HandlerCloses,
    ServerDisconnects,
    UserIsDisconnected,
    ServerStops,
    TaskIsDropped,
    CredentialOfAnother,
}

#[tokio::test(start_paused = true)]
async fn however_a_session_ends_its_hooks_are_told_exactly_once_with_how_and_nothing_is_left() {
    for (way, told, error) in [
        (Way::PeerCloses, "4321 done", None),
        (Way::PeerClosesWithoutACode, "1005 ", None),
        (Way::SocketEnds, "1006 ", None),
        (Way::SocketEndsInsideAMessage, "1006 ", None),
        (Way::PeerIsSilent, "4408 ", Some("final protocol ")),
        (Way::PeerBreaksTheProtocol, "4501 ", Some("final protocol ")),
        (Way::PeerSendsText, "1003 ", Some("final websocket 1003")),
        (Way::HandlerCloses, "4901 closed by a handler", None),
        (Way::ServerDisconnects, "4903 by id", None),
        (Way::UserIsDisconnected, "4902 expelled", None),
        (Way::ServerStops, "1012 the server is stopping", None),
        (Way::TaskIsDropped, "1006 ", None),
        (Way::CredentialOfAnother, "4503 ", None),
    ] {
        let (server, house, journal) = watched();
        let mut peer = Peer::connect(&server).await;
        peer.authenticate(1, REFRESH, "ali").await.unwrap();
        peer.call(1, "WaitKnown", "").await;
        settle().await;
        let session = server.sessions().next().unwrap();
        let mut states = session.state_changes();
        assert_eq!(
            (house.waiting(), session.state()),
            (1, SessionState::Authenticated)
        );
        let mut stopping = None;
        match way {
            Way::PeerCloses => {
                let frame = CloseFrame {
                    code: WsCode::from(4_321),
                    reason: "done".into(),
                };
                peer.socket.close(Some(frame)).await.unwrap();
            }
            Way::PeerClosesWithoutACode => peer.socket.close(None).await.unwrap(),
            Way::SocketEnds => peer.socket.get_mut().shutdown().await.unwrap(),
            Way::SocketEndsInsideAMessage => {
                peer.socket.get_mut().write_all(&[0x82, 0x85, 1]).await.unwrap();
                peer.socket.get_mut().shutdown().await.unwrap();
            }
            // A client that answers nothing is asked after 25 s.
            Way::PeerIsSilent => tokio::time::sleep(Duration::from_secs(27)).await,
            Way::PeerBreaksTheProtocol => {
                peer.socket
                    .send(Message::Binary(vec![0xff; 9].into()))
                    .await
                    .unwrap();
            }
            Way::PeerSendsText => peer.socket.send(Message::text("{}")).await.unwrap(),
            Way::HandlerCloses => peer.call(2, "Leave", "").await,
            Way::ServerDisconnects => {
                assert!(server.disconnect(session.id(), CloseCode::Other(4_903), "by id"));
            }
            Way::UserIsDisconnected => {
                let mut other = Peer::connect(&server).await;
                other.call(1, "Expel", "ali").await;
                assert_eq!(other.answer().await.1.unwrap(), "1");
                other.socket.close(None).await.unwrap();
                other.gone().await;
                let left = journal.of("hook disconnect ");
                assert_eq!(left.iter().filter(|line| **line == "1005 ").count(), 1);
            }
            Way::ServerStops => {
                let server = server.clone();
                stopping = Some(tokio::spawn(async move { server.shutdown().await }));
            }
            Way::TaskIsDropped => peer.serving.abort(),
            Way::CredentialOfAnother => peer.show(2, REFRESH, "eve").await,
        }
        if stopping.is_some() {
            settle().await;
            assert_eq!(session.state(), SessionState::Draining);
            house.release.notify_waiters();
        }
        peer.gone().await;
        if let Some(stopping) = stopping {
            stopping.await.unwrap();
        }
        let last: Vec<_> = journal.of("hook disconnect ");
        let last: Vec<_> = last
            .iter()
            .filter(|line| **line != "1005 " || told == "1005 ")
            .collect();
        assert_eq!(last.len(), 1, "{way:?}: {last:?}");
        assert!(last[0].starts_with(told), "{way:?}: {last:?}");
        let errors = journal.of("hook error ");
        match error {
            Some(error) => assert!(
                errors.len() == 1 && errors[0].starts_with(error),
                "{way:?}: {errors:?}"
            ),
            None => assert!(errors.is_empty(), "{way:?}: {errors:?}"),
        }
        assert_eq!(*states.borrow_and_update(), SessionState::Closed, "{way:?}");
        let left = (
            house.waiting(),
            server.connections(),
            server.sessions_of("ali").len(),
        );
        assert_eq!(left, (0, 0, 0), "{way:?}");
        assert!(server.session(session.id()).is_none());
        assert!(!server.disconnect(session.id(), CloseCode::Normal, ""));
        assert_eq!(
            session.ping().await,
            None,
            "a session that is over answers nobody"
        );
        assert_eq!(Arc::strong_count(&session), 1, "{way:?}: nothing holds on to it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_fails_is_told_as_an_error_with_its_kind() {
    let (server, _, journal) = watched();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let (fails, woken) = (Arc::new(AtomicBool::new(false)), near);
    let serving = tokio::spawn(server.serve_connection(Breaking(far, fails.clone()), info()));
    settle().await;
    fails.store(true, Ordering::SeqCst);
    drop(woken);
    serving.await.unwrap();
    settle().await;
    assert_eq!(journal.of("hook error "), ["final socket connection reset"]);
    assert_eq!(journal.of("hook disconnect "), ["1006 connection reset"]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_hooks_that_are_told_of_the_end_but_not_longer_than_the_grace() {
    for (act, released, seconds) in [("when", true, 3), ("never", false, 25)] {
        let (journal, told) = (Journal::default(), Arc::new(Notify::new()));
        let server = serve(endpoint(&House::default(), &Words::default()).hooks(Watcher {
            disconnect: if released {
                Act::When(told.clone())
            } else {
                Act::Never
            },
            ..Watcher::new("hook", &journal)
        }));
        let peer = Peer::connect(&server).await;
        let began = Instant::now();
        let stopping = tokio::spawn({
            let server = server.clone();
            async move { server.shutdown().await }
        });
        peer.gone().await;
        assert_eq!(journal.of("hook disconnect ").len(), 1);
        tokio::time::sleep(Duration::from_secs(3) - began.elapsed()).await;
        assert!(!stopping.is_finished(), "{act}");
        told.notify_one();
        stopping.await.unwrap();
        let took = began.elapsed().as_secs();
        assert!((seconds..=seconds + 5).contains(&took), "{act}: {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_when_it_is_told_of_the_end_leaves_the_others_theirs() {
    let journal = Journal::default();
    let server = serve(
        endpoint(&House::default(), &Words::default())
            .hooks(Watcher {
                disconnect: Act::Panic,
                ..Watcher::new("first", &journal)
            })
            .hooks(Watcher::new("second", &journal)),
    );
    let mut peer = Peer::connect(&server).await;
    peer.socket.close(None).await.unwrap();
    peer.gone().await;
    assert_eq!(journal.of("first disconnect ").len(), 1);
    assert_eq!(journal.of("second disconnect ").len(), 1);
    server.shutdown().await;
}

#[test]
fn a_connection_that_is_dropped_outside_of_its_runtime_still_tells_its_hooks() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (server, _, journal) = watched();
    let (_near, far) = tokio::io::duplex(64 * 1024);
    let mut serving = Box::pin(server.serve_connection(far, info()));
    runtime.block_on(async {
        tokio::select! {
            biased;
            () = &mut serving => {}
            () = settle() => {}
        }
    });
    drop(serving);
    runtime.block_on(settle());
    assert_eq!(journal.of("hook disconnect "), ["1006 "]);
}

#[tokio::test(start_paused = true)]
async fn errors_that_end_the_session_are_told_apart_from_those_that_do_not() {
    let (server, _, journal) = watched();
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.ask(1, "Break").await, Err(Code::Internal));
    assert_eq!(
        peer.authenticate(1, REFRESH, "wrong").await.unwrap_err().0,
        Code::Unauthenticated
    );
    // What a handler refuses on purpose, or a client does wrong, is no error of the server.
    assert_eq!(peer.ask(2, "WaitKnown").await, Err(Code::Unauthenticated));
    peer.send(0, FrameKind::End(rpc_protocol::frame::End::default()))
        .await;
    assert_eq!(peer.closed().await.0, 4502);
    let kinds: Vec<_> = journal
        .of("hook error ")
        .iter()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        kinds,
        ["recoverable call", "recoverable authentication", "final protocol"]
    );
}

/// A socket that fails once it is told to.
struct Breaking(DuplexStream, Arc<AtomicBool>);

impl AsyncRead for Breaking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.1.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Breaking {
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
