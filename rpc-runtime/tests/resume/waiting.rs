//! How a session waits, and how that ends: with its time, by command, for others, with its identity, with the server.

use std::time::Duration;

use futures_util::SinkExt;
use rpc_protocol::frame::Greeting;
use rpc_runtime::{CloseCode, Limits, ServerLimits, SessionState, services::hub::Notification};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{CloseFrame, frame::coding::CloseCode as WsCode},
};

use crate::{
    peer::{REFRESH, settle},
    support::{Place, WINDOW, cut, limits},
};

#[tokio::test(start_paused = true)]
async fn when_its_window_is_over_a_session_leaves_once_with_the_code_of_its_loss() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    tokio::time::sleep(WINDOW - Duration::from_secs(1)).await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    tokio::time::sleep(Duration::from_secs(2)).await;
    settle().await;
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.lines(), ["connect", "detach", "disconnect 1006 "]);
    let (_peer, fresh) = place.come_back(&greeting.resume_token, 0).await;
    assert!(!fresh.resumed);
}

#[tokio::test(start_paused = true)]
async fn the_window_begins_anew_with_each_loss() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let mut token = greeting.resume_token.clone();
    for _ in 0..5 {
        tokio::time::sleep(WINDOW - Duration::from_secs(5)).await;
        let (peer, again) = place.come_back(&token, 0).await;
        assert!(again.resumed);
        token = again.resume_token;
        cut(peer).await;
    }
    assert_eq!(place.journal.of("disconnect").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_or_is_closed_does_not_come_back() {
    let place = Place::new();
    for code in [1000, 1001, 4000] {
        let (mut peer, greeting) = place.connect().await;
        let frame = CloseFrame {
            code: WsCode::from(code),
            reason: "done".into(),
        };
        peer.socket.send(Message::Close(Some(frame))).await.unwrap();
        peer.gone().await;
        assert_eq!(place.state(&greeting), None, "{code}");
    }
    let (peer, greeting) = place.connect().await;
    let kicked = place.session(&greeting).unwrap();
    kicked.close(CloseCode::TryAgainLater, "later");
    peer.gone().await;
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.of("detach").len(), 0);
    assert_eq!(place.journal.of("disconnect").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_falls_silent_is_closed_with_4408_and_its_session_waits() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    let began = Instant::now();
    let _unanswered = peer.ping().await;
    assert_eq!(peer.closed_next().await.0, 4408);
    assert_eq!(began.elapsed().as_secs(), 35);
    settle().await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    drop(peer.socket);
    let (_peer, again) = place.come_back(&greeting.resume_token, 0).await;
    assert!(again.resumed);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(place.journal.lines(), ["connect", "detach", "resume"]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_waits_is_ended_by_close_by_disconnecting_its_user_and_by_a_stop() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    place
        .session(&greeting)
        .unwrap()
        .close(CloseCode::Normal, "enough");
    settle().await;
    assert_eq!(place.state(&greeting), None);

    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali").await.is_ok());
    cut(peer).await;
    let reached = place.server.disconnect_user("ali", CloseCode::Normal, "enough");
    settle().await;
    assert_eq!((reached, place.state(&greeting)), (1, None));
    assert!(place.server.sessions_of("ali").is_empty());

    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let began = Instant::now();
    place.server.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(1), "it is not waited for");
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.of("disconnect ").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_does_not_wait_for_clients_that_are_lost_meanwhile() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    peer.call(1, "Wait", "").await;
    settle().await;
    let stopping = tokio::spawn({
        let server = place.server.clone();
        async move { server.shutdown().await }
    });
    settle().await;
    cut(peer).await;
    stopping.await.unwrap();
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.of("detach").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_too_many_sessions_that_wait_the_one_that_has_waited_longest_ends() {
    let bound = ServerLimits {
        detached_sessions: 2,
        ..ServerLimits::default()
    };
    let place = Place::with(limits(), bound, |endpoint| endpoint);
    let mut greetings = Vec::new();
    for _ in 0..4 {
        let (peer, greeting) = place.connect().await;
        cut(peer).await;
        greetings.push(greeting);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let states: Vec<_> = greetings.iter().map(|greeting| place.state(greeting)).collect();
    let detached = Some(SessionState::Detached);
    assert_eq!(states, [None, None, detached, detached]);
    // Who has come back has no place among them.
    let (_peer, again) = place.come_back(&greetings[2].resume_token, 0).await;
    assert!(again.resumed);
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    assert_eq!(place.state(&greetings[3]), detached);
    assert_eq!(place.state(&greeting), detached);
    assert_eq!(place.server.connections(), 3);
}

/// Sends a client so many events of some kilobyte.
async fn send_kilobytes(place: &Place, greeting: &Greeting, count: usize) {
    let session = place.session(greeting).expect("is there");
    for _ in 0..count {
        let note = Notification {
            message: "x".repeat(1_024),
            ..Notification::default()
        };
        session.hub().client(session.id()).publish(&note).await.unwrap();
    }
    settle().await;
}

/// A place where all sessions that wait may hold 200 KiB together.
fn place_of_few_bytes() -> Place {
    let bound = ServerLimits {
        detached_bytes: 200 * 1_024,
        ..ServerLimits::default()
    };
    Place::with(limits(), bound, |endpoint| endpoint)
}

#[tokio::test(start_paused = true)]
async fn where_all_sessions_that_wait_hold_too_much_those_end_that_hold_most() {
    let place = place_of_few_bytes();
    let mut greetings = Vec::new();
    for _ in 0..4 {
        let (peer, greeting) = place.connect().await;
        cut(peer).await;
        greetings.push(greeting);
    }
    let waits = || greetings.iter().map(|greeting| place.state(greeting).is_some());
    for (index, kilobytes) in [20, 90, 40].into_iter().enumerate() {
        send_kilobytes(&place, &greetings[index], kilobytes).await;
    }
    assert_eq!(waits().collect::<Vec<_>>(), [true; 4]);
    send_kilobytes(&place, &greetings[3], 60).await;
    assert_eq!(waits().collect::<Vec<_>>(), [true, false, true, true]);
    // Whose room is free now.
    send_kilobytes(&place, &greetings[3], 20).await;
    assert_eq!(waits().collect::<Vec<_>>(), [true, false, true, true]);
    send_kilobytes(&place, &greetings[0], 60).await;
    let last = waits().collect::<Vec<_>>();
    assert_eq!(last.iter().filter(|waits| **waits).count(), 2, "{last:?}");
    // Who comes back takes what it holds along.
    let back = last.iter().position(|waits| *waits).unwrap();
    let (_peer, again) = place.come_back(&greetings[back].resume_token, 0).await;
    assert!(again.resumed);
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    send_kilobytes(&place, &greeting, 90).await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_is_not_acknowledged_counts_as_well_once_its_session_waits() {
    let place = place_of_few_bytes();
    let (mut peers, mut greetings) = (Vec::new(), Vec::new());
    for kilobytes in [80, 190] {
        let (peer, greeting) = place.connect().await;
        send_kilobytes(&place, &greeting, kilobytes).await;
        peers.push(peer);
        greetings.push(greeting);
    }
    for peer in peers {
        cut(peer).await;
    }
    let states: Vec<_> = greetings.iter().map(|greeting| place.state(greeting)).collect();
    assert_eq!(states, [Some(SessionState::Detached), None]);
}

#[tokio::test(start_paused = true)]
async fn where_none_may_wait_none_does() {
    let bound = ServerLimits {
        detached_sessions: 0,
        ..ServerLimits::default()
    };
    let place = Place::with(limits(), bound, |endpoint| endpoint);
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    assert_eq!(place.state(&greeting), None);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_waits_ends_with_its_identity() {
    let limits = Limits {
        resume_window: Duration::from_secs(600),
        ..limits()
    };
    let place = Place::with(limits, ServerLimits::default(), |endpoint| endpoint);
    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali for 100").await.is_ok());
    cut(peer).await;
    // With its grace, in which a client that comes back may refresh it.
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    tokio::time::sleep(Duration::from_secs(10)).await;
    settle().await;
    assert_eq!(place.state(&greeting), None);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_client_that_is_away_does_not_wait_for_its_pong() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    let session = place.session(&greeting).unwrap();
    cut(peer).await;
    let began = Instant::now();
    assert_eq!(session.ping().await, None);
    assert_eq!(began.elapsed(), Duration::ZERO);
}
