//! Who a client that comes back is: by its session, by its handshake, and by what has happened on the way.

use std::time::{Duration, SystemTime};

use rpc_protocol::{FrameKind, frame::Greeting};
use rpc_runtime::{SessionState, auth::Identity};

use crate::{
    house::identity_for,
    peer::{CHANGE, Peer, REFRESH, info, settle},
    support::{Place, cut},
};

/// A client whose handshake is over, and which has not greeted.
async fn begin(place: &Place, identity: Identity) -> Peer {
    let info = info().with_client_coming_back();
    let peer = Peer::begin(&place.server, info.with_identity(identity)).await;
    settle().await;
    peer
}

async fn greet(peer: &mut Peer, token: &str) {
    let greeting = Greeting {
        resume_token: token.to_owned(),
        ..Greeting::default()
    };
    peer.send(0, FrameKind::Greeting(Box::new(greeting))).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_identity_is_over_is_not_given_away_by_the_turn_that_ends_it() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali for 10").await.is_ok());
    cut(peer).await;
    // With half a second for good measure, and 25 s of grace.
    tokio::time::sleep(Duration::from_millis(32_000)).await;
    let mut peer = Peer::begin(&place.server, info().with_client_coming_back()).await;
    tokio::time::sleep(Duration::from_millis(3_400)).await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    greet(&mut peer, &greeting.resume_token).await;
    // The new connection asks before the session's timer has fired.
    tokio::time::advance(Duration::from_millis(200)).await;
    let fresh = peer.greeting().await;
    assert_eq!((fresh.resumed, &*fresh.user_id), (false, ""));
    settle().await;
    assert_eq!(place.state(&greeting), None);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_on_the_old_connection_is_later_than_the_handshake_of_the_new_one() {
    let place = Place::new();
    let (mut old, greeting) = place.connect().await;
    assert!(old.authenticate(1, REFRESH, "ali for 100").await.is_ok());
    let mut new = begin(&place, identity_for("ali", 50)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(old.authenticate(2, REFRESH, "ali for 500").await.is_ok());
    greet(&mut new, &greeting.resume_token).await;
    let again = new.greeting().await;
    assert!(again.resumed);
    assert!(
        again.identity_expires_in_us > 490_000_000,
        "{}",
        again.identity_expires_in_us
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_of_user_on_the_old_connection_refuses_the_handshake_of_the_user_before() {
    let place = Place::new();
    let (mut old, greeting) = place.connect().await;
    assert!(old.authenticate(1, REFRESH, "ali").await.is_ok());
    let mut new = begin(&place, identity_for("ali", 500)).await;
    assert!(old.authenticate(2, CHANGE, "eve").await.is_ok());
    greet(&mut new, &greeting.resume_token).await;
    assert_eq!(new.closed_next().await.0, 4506);
    assert_eq!(
        place.state(&greeting),
        Some(SessionState::Authenticated),
        "it lives on, where it was"
    );
    assert!(old.ask(1, "Who").await.unwrap().starts_with("eve eve"));
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_is_over_when_the_session_is_there_closes_with_4401_and_the_session_waits_on() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali for 600").await.is_ok());
    cut(peer).await;
    let over = Identity::new("ali").expires_at(SystemTime::now());
    let mut late = begin(&place, over).await;
    greet(&mut late, &greeting.resume_token).await;
    assert_eq!(late.closed_next().await.0, 4401);
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0).await;
    assert_eq!((again.resumed, &*again.user_id), (true, "ali"));
    assert!(peer.ask(1, "Who").await.is_ok());
    assert_eq!(place.journal.lines(), ["connect", "detach", "resume"]);
}
