//! What a client tries that knows how identities change: to have one user's call run as another, or past a guard.

use std::sync::{Arc, atomic::Ordering};

use prost::Message as _;
use rpc_protocol::{
    FrameKind,
    frame::{Data, Request},
};
use rpc_runtime::{
    Code, Context, Endpoint, Guard, Server, Status, UnknownMethod,
    middleware::{Call, Reply},
    prost,
};
use tokio::sync::Notify;

use crate::{
    house::{House, Words, method, note},
    peer::{CHANGE, Peer, REFRESH, SIGN_OUT, serve, settle},
};

/// Lets everybody in, when it is told to.
#[derive(Clone, Default)]
struct Slow(Arc<Notify>);

impl Guard for Slow {
    async fn check(&self, _: &Context) -> Result<(), Status> {
        self.0.notified().await;
        Ok(())
    }
}

fn guarded() -> (Server, House, Slow) {
    let (house, guard) = (House::default(), Slow::default());
    let endpoint = Endpoint::new()
        .service(house.clone())
        .authenticator(Words::default())
        .guard("anybody", guard.clone());
    (serve(endpoint), house, guard)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_in_a_guard_ends_when_its_user_goes_and_is_never_run() {
    for (purpose, word) in [(SIGN_OUT, ""), (CHANGE, "eve")] {
        let (server, house, guard) = guarded();
        let mut peer = Peer::connect(&server).await;
        peer.authenticate(1, REFRESH, "ali").await.unwrap();
        peer.call(1, "WaitGuarded", "").await;
        settle().await;
        peer.show(2, purpose, word).await;
        assert_eq!(peer.answer().await, (1, Err(Code::Unauthenticated)));
        assert_eq!(peer.identity().await.user_id, word);
        guard.0.notify_waiters();
        guard.0.notify_one();
        settle().await;
        assert_eq!(house.waiting(), 0, "the handler has not begun");
        peer.hears_nothing().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_whole_behind_a_change_of_user_runs_as_who_is_known_then() {
    let (server, _, _) = guarded();
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    let body = note("text").encode_to_vec();
    let (first, last) = body.split_at(3);
    let request = Request {
        method: method("Who").number,
        more: true,
        body: first.to_vec().into(),
        ..Request::default()
    };
    peer.send(1, FrameKind::Request(request)).await;
    // The rest of it comes behind the credential, which is still looked at.
    peer.show(2, CHANGE, "eve after 3").await;
    let data = Data {
        body: last.to_vec().into(),
        ..Data::default()
    };
    peer.send(1, FrameKind::Data(data)).await;
    assert_eq!(peer.identity().await.user_id, "eve");
    let (_, answer) = peer.answer().await;
    assert!(answer.unwrap().starts_with("eve eve"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_begun_as_one_user_takes_no_message_behind_a_change() {
    let (server, house, _) = guarded();
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.call(1, "WatchKnown", "milk").await;
    assert_eq!(peer.answer().await, (1, Ok(String::new())), "it is open");
    assert_eq!(peer.answer().await, (1, Ok("ali milk".to_owned())));
    peer.show(2, CHANGE, "eve").await;
    // It has one end, before the new user is told, and what comes for it afterwards is ignored.
    assert_eq!(peer.answer().await, (1, Err(Code::Unauthenticated)));
    assert_eq!(peer.identity().await.user_id, "eve");
    peer.send(1, FrameKind::Data(Data::default())).await;
    peer.hears_nothing().await;
    assert_eq!(house.waiting(), 0, "its clean-up is done");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_sign_outs_asks_no_authenticator_and_moves_no_deadline() {
    let words = Words::default();
    let endpoint = Endpoint::new()
        .service(House::default())
        .authenticator(words.clone())
        .guard("anybody", |_: &Context| Ok(()))
        .require_authentication();
    let mut peer = Peer::connect(&serve(endpoint)).await;
    let began = tokio::time::Instant::now();
    for request_id in 1..=1_000 {
        peer.authenticate(request_id, SIGN_OUT, "").await.unwrap();
    }
    peer.rest(4).await;
    peer.authenticate(1_001, SIGN_OUT, "").await.unwrap();
    assert_eq!(peer.closed().await.0, 4505);
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(words.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_name_of_more_than_1_kib_is_not_kept_for_a_fallback() {
    let endpoint = Endpoint::new().fallback(async |method: UnknownMethod, _: Call| {
        assert!(method.name().is_some_and(|name| name.len() == 1_024));
        std::future::pending::<Result<Reply, Status>>().await
    });
    let mut peer = Peer::connect(&serve(endpoint)).await;
    let named = |length| Request {
        method_name: "x".repeat(length),
        ..Request::default()
    };
    peer.send(1, FrameKind::Request(named(1_024))).await;
    peer.hears_nothing().await;
    peer.send(2, FrameKind::Request(named(1_025))).await;
    assert_eq!(peer.answer().await, (2, Err(Code::Unimplemented)));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_known_where_that_is_required_does_not_learn_which_methods_there_are() {
    let endpoint = Endpoint::new()
        .service(House::default())
        .authenticator(Words::default())
        .guard("anybody", |_: &Context| Ok(()))
        .require_authentication();
    let mut peer = Peer::connect(&serve(endpoint)).await;
    let named = |name: &str, open| Request {
        method_name: name.to_owned(),
        open,
        ..Request::default()
    };
    let known = method("WaitGuarded").full_name;
    let all = [("no.Such/Method", false), (known, false), (known, true)];
    for (stream_id, (name, open)) in (1..).zip(all) {
        peer.send(stream_id, FrameKind::Request(named(name, open))).await;
        assert_eq!(
            peer.answer().await,
            (stream_id, Err(Code::Unauthenticated)),
            "{name}, open: {open}"
        );
    }
    // Nor by what is counted as a fault: neither kind is, however many there are.
    for (stream_id, name) in (4..).zip(["no.Such/Method", known].repeat(200)) {
        peer.send(stream_id, FrameKind::Request(named(name, false))).await;
        assert_eq!(
            peer.answer().await,
            (stream_id, Err(Code::Unauthenticated)),
            "{name}"
        );
    }
}
