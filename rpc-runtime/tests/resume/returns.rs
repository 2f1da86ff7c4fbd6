//! Returns that go wrong: whose greeting is lost, whose connection is lost while it is given the session, and what is allowed
//! before anybody is known; and what goes on meanwhile.

use std::{sync::Arc, task::Poll, time::Duration};

use rpc_protocol::{
    FrameKind,
    frame::{AnnouncedLimits, Credit, Greeting},
};
use rpc_runtime::{Hooks, Limits, Refusal, Server, ServerLimits, Session, SessionState, testing};

use crate::{
    bounds::{self, answer, call, greet},
    line::{Item, KEPT, Line, connect, item, method, replaying},
    peer::{Peer, info, settle},
    support::{self, cut, limits},
};

/// Has a client miss answers of its calls that are not kept any more, and one call still run.
async fn miss_answers(place: &bounds::Place) -> Greeting {
    let (mut peer, greeting) = place.connect().await;
    let asked = Item {
        number: 1,
        padding: vec![0; 100_000].into(),
    };
    peer.send(0, FrameKind::Credit(Credit { bytes: 1 << 40 })).await;
    for id in 1..=20 {
        call(&mut peer, id, "Give", &asked).await;
        answer(&mut peer, id).await;
    }
    call(&mut peer, 50, "Wait", &item(0)).await;
    cut(peer).await;
    greeting
}

#[tokio::test(start_paused = true)]
async fn a_client_that_has_not_heard_that_its_calls_have_ended_is_told_so_again() {
    let place = bounds::Place::new();
    let greeting = miss_answers(&place).await;
    // It has two of the answers. That it goes on without its calls gets lost, however often.
    for _ in 0..2 {
        let (peer, again) = place.come_back(&greeting.resume_token, 2, 0).await;
        // Otherwise it would send its calls again, which would run twice.
        assert_eq!((again.resumed, again.streams_resumed), (true, false));
        cut(peer).await;
    }
    // This time it hears it, and says so by the token: the calls that it makes now may go on.
    let (mut peer, again) = place.come_back(&greeting.resume_token, 2, 0).await;
    assert!(!again.streams_resumed);
    call(&mut peer, 51, "Wait", &item(0)).await;
    cut(peer).await;
    for _ in 0..2 {
        // Also where that they go on is not heard.
        let (peer, onward) = place.come_back(&again.resume_token, 2, 0).await;
        assert_eq!((onward.streams_resumed, onward.received_frames), (true, 1));
        cut(peer).await;
    }
    assert_eq!(place.line.waiting(), 1);
}

/// Gives each task that is ready one turn.
async fn turn() {
    let mut is_over = false;
    std::future::poll_fn(|cx| {
        // Behind them in the queue, as `yield_now` is not.
        cx.waker().wake_by_ref();
        match std::mem::replace(&mut is_over, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// Comes back, and is lost after so many turns. Whether the session has been without a connection then.
async fn is_lost_after(turns: usize) -> bool {
    let place = bounds::Place::new();
    let (mut old, greeting) = place.connect().await;
    call(&mut old, 1, "Wait", &item(0)).await;
    let mut peer = Peer::begin(&place.server, info().with_client_coming_back()).await;
    let back = Greeting {
        resume_token: greeting.resume_token.clone(),
        ..Greeting::default()
    };
    greet(&mut peer, back).await;
    for _ in 0..turns {
        turn().await;
    }
    drop(peer.socket);
    settle().await;
    let state = place.state();
    assert!(state.is_some(), "gone after {turns} turns");
    let (_peer, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert!(again.streams_resumed, "after {turns} turns");
    assert_eq!(place.line.waiting(), 1);
    state == Some(SessionState::Detached)
}

#[tokio::test(start_paused = true)]
async fn however_soon_a_connection_that_is_given_the_session_is_lost_the_session_waits_on() {
    let mut given = 0;
    for turns in 0..20 {
        // A task among the others, which have their turns between its own.
        let waits = tokio::spawn(is_lost_after(turns)).await.unwrap();
        given += usize::from(waits);
    }
    assert!(given > 5, "the old connection has kept it nearly each time");
}

#[tokio::test(start_paused = true)]
async fn the_first_frame_of_a_client_that_comes_back_is_as_short_as_any_before_somebody_is_known() {
    for (length, code) in [(17 << 10, Some(1009)), (15 << 10, None)] {
        let place = support::Place::with(limits(), ServerLimits::default(), |endpoint| {
            endpoint.require_authentication()
        });
        let mut peer = Peer::begin(&place.server, info().with_client_coming_back()).await;
        let greeting = Greeting {
            resume_token: "x".repeat(length),
            ..Greeting::default()
        };
        peer.send(0, FrameKind::Greeting(Box::new(greeting))).await;
        match code {
            Some(code) => assert_eq!(peer.closed_next().await.0, code),
            None => assert!(!peer.greeting().await.resumed),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_answered_together_while_their_client_is_away_do_not_wait_for_it() {
    let place = bounds::Place::with(Limits {
        replay_bytes: 16 << 20,
        ..replaying()
    });
    let (mut peer, greeting) = place.connect().await;
    peer.send(0, FrameKind::Credit(Credit { bytes: 1 << 40 })).await;
    let asked = Item {
        number: 7,
        padding: vec![0; 100_000].into(),
    };
    for id in 1..=40 {
        call(&mut peer, id, "Hold", &asked).await;
    }
    assert_eq!(place.line.waiting(), 40);
    cut(peer).await;
    // More than may wait for a socket, and all in one turn.
    place.line.release.notify_waiters();
    settle().await;
    assert_eq!((place.line.waiting(), place.calls()), (0, 0));
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0, 0).await;
    assert!(again.streams_resumed);
    for _ in 1..=40 {
        let frame = bounds::frame(&mut peer).await;
        assert!(matches!(frame.kind, FrameKind::Response(_)), "{frame:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_counted_goes_on_where_its_calls_are_given_up_while_its_client_is_away() {
    let line = Line::default();
    let server = Server::builder().service(line.clone()).metrics().limits(Limits {
        streams: 1,
        message_bytes: 4 << 20,
        ..replaying()
    });
    let place = bounds::Place {
        line,
        server: server.build().unwrap(),
    };
    let (mut peer, greeting) = Peer::connect_as(&place.server, info()).await;
    // It reads frames that are longer than all that is kept.
    let limits = AnnouncedLimits {
        max_message_bytes: 4 << 20,
        max_frame_body_bytes: 4 << 20,
        connection_window_bytes: 8 << 20,
        ..AnnouncedLimits::default()
    };
    let own = Greeting {
        limits: Some(limits),
        ..Greeting::default()
    };
    greet(&mut peer, own).await;
    let asked = Item {
        number: 7,
        padding: vec![0; KEPT + 1].into(),
    };
    call(&mut peer, 1, "Hold", &asked).await;
    // One call is refused, which is counted.
    call(&mut peer, 2, "Hold", &item(0)).await;
    assert!(matches!(bounds::frame(&mut peer).await.kind, FrameKind::End(_)));
    cut(peer).await;
    place.line.release.notify_waiters();
    settle().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((place.state(), place.calls()), (Some(SessionState::Detached), 0));
    let (_peer, again) = place.come_back(&greeting.resume_token, 1, 0).await;
    assert_eq!((again.resumed, again.streams_resumed), (true, false));
}

/// Lets nobody in.
struct Hesitant;

impl Hooks for Hesitant {
    async fn on_connect(&self, _: &Arc<Session>) -> Result<(), Refusal> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_return_to_which_the_server_says_nothing_costs_no_calls() {
    let line = Line::default();
    let first = Server::builder().service(line.clone()).limits(replaying());
    let first = first.build().unwrap();
    let server = testing::serve(first.clone());
    let client = connect(&server).await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.unary::<Item>(method("Wait"), &item(0)).await }
    });
    settle().await;
    let silent = Server::builder().hooks(Hesitant).limits(Limits {
        authentication_time: Duration::from_secs(3_600),
        ..Limits::default()
    });
    server.restart(silent.build().unwrap());
    server.disconnect_all().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.connections(), 2);
    // Nothing is heard of that one any more, but the next one reaches the session.
    server.restart(first);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!((line.waiting(), server.connections()), (1, 3));
    line.release.notify_waiters();
    assert_eq!(calling.await.unwrap().expect("goes on").number, 0);
}
