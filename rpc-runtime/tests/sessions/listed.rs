//! The list of sessions, what is counted of each, and how long a ping takes.

use std::time::Duration;

use rpc_protocol::{FrameKind, frame::Pong};
use rpc_runtime::{ClientId, CloseCode, ServerLimits, SessionState};
use tokio::time::Instant;

use crate::{
    house::{House, Words, endpoint, identity_for},
    peer::{CHANGE, Peer, REFRESH, SIGN_OUT, info, serve, serve_within, settle},
};

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_with_who_they_are_and_found_by_client_and_user() {
    let server = serve(endpoint(&House::default(), &Words::default()));
    let mut peers = Vec::new();
    for user in ["ali", "ali", "eve", ""] {
        let mut peer = Peer::connect(&server).await;
        if !user.is_empty() {
            peer.authenticate(1, REFRESH, user).await.unwrap();
        }
        peers.push(peer);
    }
    assert_eq!(server.connections(), 4);
    let mut listed: Vec<_> = server
        .sessions()
        .map(|session| {
            let user = session.user().as_deref().unwrap_or("nobody").to_owned();
            (user, session.state(), session.info().path().to_owned())
        })
        .collect();
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    let known = |user: &str| {
        (
            user.to_owned(),
            SessionState::Authenticated,
            "/in/hall".to_owned(),
        )
    };
    let nobody = (
        "nobody".to_owned(),
        SessionState::Anonymous,
        "/in/hall".to_owned(),
    );
    assert_eq!(listed, [known("ali"), known("ali"), known("eve"), nobody]);
    assert_eq!(server.sessions_of("ali").len(), 2);
    assert!(server.sessions_of("nobody").is_empty());
    let eve = server.sessions_of("eve").remove(0);
    let text = eve.id().to_string();
    assert_eq!(server.session(text.parse().unwrap()).unwrap().id(), eve.id());
    assert!(eve.started().elapsed().unwrap() < Duration::from_secs(60));
    for wrong in [
        "",
        "12",
        &text[1..],
        &format!("+{}", &text[1..]),
        &text.replace(&text[..1], "x"),
    ] {
        assert!(wrong.parse::<ClientId>().is_err(), "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_and_all_of_a_user_are_disconnected_with_code_and_reason() {
    let server = serve(endpoint(&House::default(), &Words::default()));
    let (mut first, _) = Peer::connect_as(&server, info().with_identity(identity_for("ali", 60))).await;
    let (mut second, _) = Peer::connect_as(&server, info().with_identity(identity_for("ali", 60))).await;
    let mut third = Peer::connect(&server).await;
    assert_eq!(
        server.disconnect_user("ali", CloseCode::PolicyViolation, "enough"),
        2
    );
    assert_eq!(first.closed().await, (1008, "enough".to_owned()));
    assert_eq!(second.closed().await, (1008, "enough".to_owned()));
    assert!(third.ask(1, "Who").await.is_ok());
    let id = server
        .sessions()
        .find(|session| session.user().is_none())
        .unwrap()
        .id();
    assert!(server.disconnect(id, CloseCode::GoingAway, "you too"));
    assert_eq!(third.closed().await, (1001, "you too".to_owned()));
    assert_eq!(server.disconnect_user("nobody", CloseCode::Normal, ""), 0);
}

#[tokio::test(start_paused = true)]
async fn one_connection_too_many_of_a_user_is_closed_with_4429_however_it_became_that_user() {
    let limits = ServerLimits {
        connections_per_user: 2,
        ..ServerLimits::default()
    };
    let server = serve_within(endpoint(&House::default(), &Words::default()), limits);
    let known = || info().with_identity(identity_for("ali", 60));
    let (first, _) = Peer::connect_as(&server, known()).await;
    let mut second = Peer::connect(&server).await;
    second.authenticate(1, REFRESH, "ali").await.unwrap();
    // At the handshake, in band, and by a change of user.
    let mut third = Peer::begin(&server, known()).await;
    let (code, reason) = third.closed().await;
    assert_eq!(code, 4429);
    assert!(reason.contains("user"), "{reason}");
    let mut fourth = Peer::connect(&server).await;
    fourth.show(1, REFRESH, "ali").await;
    assert_eq!(fourth.closed().await.0, 4429);
    let mut fifth = Peer::connect(&server).await;
    fifth.authenticate(1, REFRESH, "eve").await.unwrap();
    fifth.show(2, CHANGE, "ali").await;
    assert_eq!(fifth.closed().await.0, 4429);
    fifth.gone().await;
    assert!(server.sessions_of("eve").is_empty());
    // Refreshes take no place, and who leaves or signs out gives one back.
    second.authenticate(2, REFRESH, "ali").await.unwrap();
    drop(first);
    settle().await;
    let mut sixth = Peer::connect(&server).await;
    sixth.authenticate(1, REFRESH, "ali").await.unwrap();
    sixth.authenticate(2, SIGN_OUT, "").await.unwrap();
    let mut seventh = Peer::connect(&server).await;
    seventh.authenticate(1, REFRESH, "ali").await.unwrap();
    assert_eq!(server.sessions_of("ali").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_session_does_is_counted() {
    let house = House::default();
    let server = serve(endpoint(&house, &Words::default()));
    let mut peer = Peer::connect(&server).await;
    let session = server.sessions().next().unwrap();
    let before = session.stats();
    assert_eq!(
        (before.bytes_received, before.messages_received, before.calls),
        (0, 0, 0)
    );
    assert!(before.bytes_sent > 0, "the greeting");
    peer.call(1, "Wait", "").await;
    peer.call(2, "WaitKnown", "").await;
    peer.call(3, "Who", "").await;
    peer.call(4, "Break", "").await;
    for _ in 0..3 {
        let _ = peer.answer().await;
    }
    let stats = session.stats();
    assert_eq!(
        (stats.messages_received, stats.calls, stats.failed_calls),
        (4, 4, 2)
    );
    assert_eq!((stats.open_calls, stats.queued_bytes), (1, 0));
    assert!(stats.bytes_received > 60 && stats.bytes_sent > before.bytes_sent);
    house.release.notify_waiters();
    let _ = peer.answer().await;
    assert_eq!(session.stats().open_calls, 0);
    let bytes = session.stats().bytes_received;
    peer.socket.close(None).await.unwrap();
    peer.gone().await;
    let stats = session.stats();
    assert!(stats.bytes_received > bytes);
    assert_eq!(
        (stats.calls, stats.messages_received),
        (4, 5),
        "they stay when it is over"
    );
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_time_is_measured_when_asked_for_and_with_each_ping_of_the_server() {
    let server = serve(endpoint(&House::default(), &Words::default()));
    let mut peer = Peer::connect(&server).await;
    let session = server.sessions().next().unwrap();
    assert_eq!(session.round_trip_time(), None);
    let asks = || {
        let session = session.clone();
        tokio::spawn(async move { session.ping().await })
    };
    let (first, second) = (asks(), asks());
    settle().await;
    let payload = peer.ping().await;
    // The second waits for the same ping.
    tokio::time::sleep(Duration::from_millis(70)).await;
    peer.send(0, FrameKind::Pong(Pong { payload })).await;
    let took = Some(Duration::from_millis(70));
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (took, took));
    assert_eq!(session.round_trip_time(), took);
    // So soon after it, no other is sent.
    assert_eq!(asks().await.unwrap(), took);
    peer.hears_nothing().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let third = asks();
    let payload = peer.ping().await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    peer.send(0, FrameKind::Pong(Pong { payload })).await;
    assert_eq!(third.await.unwrap(), Some(Duration::from_millis(30)));
    // Those that keep the connection alive measure as well.
    let payload = peer.ping().await;
    tokio::time::sleep(Duration::from_millis(110)).await;
    peer.send(0, FrameKind::Pong(Pong { payload })).await;
    settle().await;
    assert_eq!(session.round_trip_time(), Some(Duration::from_millis(110)));
}

#[tokio::test(start_paused = true)]
async fn a_ping_that_is_not_answered_is_given_up_and_one_whose_connection_ends_too() {
    let server = serve(endpoint(&House::default(), &Words::default()));
    let mut peer = Peer::connect(&server).await;
    let session = server.sessions().next().unwrap();
    let began = Instant::now();
    let asks = tokio::spawn({
        let session = session.clone();
        async move { session.ping().await }
    });
    // It says something, but never what it is asked.
    for id in 1..=11 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        peer.call(id, "Who", "").await;
    }
    assert_eq!(asks.await.unwrap(), None);
    assert_eq!(began.elapsed().as_secs(), 11);
    let asks = tokio::spawn({
        let session = session.clone();
        async move { session.ping().await }
    });
    settle().await;
    drop(peer);
    assert_eq!(asks.await.unwrap(), None);
    assert_eq!(session.state(), SessionState::Closed);
}
