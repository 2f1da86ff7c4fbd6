//! What goes on when a client comes back, and who does not go on.

use std::time::Duration;

use rpc_protocol::FrameKind;
use rpc_protocol::frame::Greeting;
use rpc_runtime::{CloseCode, Code, Limits, ServerLimits, SessionState};

use crate::{
    house::{Mark, identity_for},
    peer::{CHANGE, Peer, REFRESH, info, settle},
    support::{Place, WINDOW, cut, limits, store_token},
};

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_has_its_id_identity_attributes_and_places_on_lists_and_no_hook_is_asked_again()
 {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    assert_eq!(greeting.resume_within_us, WINDOW.as_micros() as u64);
    assert!(!greeting.resumed);
    assert_eq!(
        peer.authenticate(1, REFRESH, "ali for 600").await,
        Ok("ali".to_owned())
    );
    let session = place.session(&greeting).unwrap();
    session.insert(Mark("kept".to_owned()));
    cut(peer).await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    assert_eq!(place.server.sessions_of("ali").len(), 1);
    tokio::time::sleep(Duration::from_secs(30)).await;
    let (mut peer, again) = place.come_back(&greeting.resume_token, 0).await;
    assert!(again.resumed);
    assert_eq!((&again.client_id, &*again.user_id), (&greeting.client_id, "ali"));
    assert!((569_000_000..=571_000_000).contains(&again.identity_expires_in_us));
    assert_ne!(again.resume_token, greeting.resume_token);
    assert_eq!(place.state(&greeting), Some(SessionState::Authenticated));
    let who = "ali ali authenticated Some(\"kept\")";
    assert_eq!(peer.ask(1, "Who").await, Ok(who.to_owned()));
    assert_eq!(place.server.sessions_of("ali").len(), 1);
    assert_eq!(place.server.connections(), 1);
    assert_eq!(place.journal.lines(), ["connect", "detach", "resume"]);
}

#[tokio::test(start_paused = true)]
async fn without_a_window_nothing_is_told_and_nothing_waits() {
    let place = Place::with(Limits::default(), ServerLimits::default(), |endpoint| endpoint);
    let (peer, greeting) = place.connect().await;
    assert_eq!((&*greeting.resume_token, greeting.resume_within_us), ("", 0));
    cut(peer).await;
    assert_eq!(place.state(&greeting), None);
    assert_eq!(place.journal.lines(), ["connect", "disconnect 1006 "]);
    // Who says nevertheless that it comes back is not waited for.
    let (_peer, greeting) = Peer::connect_as(&place.server, info().with_client_coming_back()).await;
    assert!(!greeting.resumed);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_of_coming_back_is_greeted_at_once_and_its_token_is_not_looked_at() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let (mut peer, other) = place.connect().await;
    assert_ne!(other.client_id, greeting.client_id);
    let late = Greeting {
        resume_token: greeting.resume_token.clone(),
        ..Greeting::default()
    };
    peer.send(0, FrameKind::Greeting(Box::new(late))).await;
    settle().await;
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nobody_has_begins_a_new_session() {
    let place = Place::new();
    for token in ["", "nonsense", &"A".repeat(64), &"A".repeat(100_000)] {
        let (_peer, greeting) = place.come_back(token, 0).await;
        assert!(!greeting.resumed && !greeting.resume_token.is_empty());
    }
    assert_eq!(place.journal.of("connect").len(), 4);
    assert_eq!(place.journal.of("resume").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_in_another_place_begins_a_new_session_and_its_own_waits_on() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let request = http::Request::get("/in/cellar").body(()).unwrap();
    let elsewhere = rpc_runtime::ConnectInfo::from_request(&request);
    let mut peer = place.begin_return_as(elsewhere, &greeting.resume_token, 0).await;
    assert!(!peer.greeting().await.resumed);
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_and_sends_no_greeting_is_closed() {
    let place = Place::new();
    let mut silent = Peer::begin(&place.server, info().with_client_coming_back()).await;
    let began = tokio::time::Instant::now();
    let (code, _) = silent.closed_next().await;
    assert_eq!((code, began.elapsed().as_secs()), (4408, 5));
    let mut hasty = Peer::begin(&place.server, info().with_client_coming_back()).await;
    hasty.call(1, "Who", "").await;
    assert_eq!(hasty.closed_next().await.0, 4502);
    let (gone, _greeting) = place.connect().await;
    drop(gone);
    assert_eq!(place.journal.of("connect").len(), 1, "nobody else has come");
}

#[tokio::test(start_paused = true)]
async fn while_its_old_connection_looks_alive_the_session_goes_on_at_the_new_one() {
    let place = Place::new();
    let (mut old, greeting) = place.connect().await;
    assert_eq!(old.authenticate(1, REFRESH, "ali").await, Ok("ali".to_owned()));
    old.call(1, "Wait", "").await;
    settle().await;
    assert_eq!(place.house.waiting(), 1);
    let (mut new, again) = place.come_back(&greeting.resume_token, 0).await;
    assert!(again.resumed);
    assert_eq!(again.client_id, greeting.client_id);
    assert_eq!(old.closed().await.0, 1001);
    assert_eq!(place.house.waiting(), 0, "its call has ended");
    assert_eq!(
        new.ask(1, "Who").await,
        Ok("ali ali authenticated Some(\"marked for ali\")".to_owned())
    );
    old.gone().await;
    assert_eq!(
        new.ask(2, "Who").await,
        Ok("ali ali authenticated Some(\"marked for ali\")".to_owned())
    );
    assert_eq!(place.journal.lines(), ["connect", "resume"]);
    // The session hears commands where it is now.
    let session = place.session(&greeting).unwrap();
    session.close(rpc_runtime::CloseCode::Other(4_900), "enough");
    assert_eq!(new.closed().await, (4_900, "enough".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn calls_that_ran_are_cancelled_when_the_connection_is_lost() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    peer.call(1, "Wait", "").await;
    settle().await;
    assert_eq!(place.house.waiting(), 1);
    cut(peer).await;
    assert_eq!(place.house.waiting(), 0);
    let session = place.session(&greeting).unwrap();
    assert_eq!(session.stats().open_calls, 0);
    // Ids begin anew.
    let (mut peer, _) = place.come_back(&greeting.resume_token, 0).await;
    assert!(peer.ask(1, "Who").await.is_ok());
    assert_eq!(session.stats().calls, 2);
}

#[tokio::test(start_paused = true)]
async fn a_fresh_credential_of_the_same_user_in_the_handshake_replaces_the_identity() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali for 100").await.is_ok());
    cut(peer).await;
    let info = info().with_identity(identity_for("ali", 500));
    let mut peer = place.begin_return_as(info, &greeting.resume_token, 0).await;
    let again = peer.greeting().await;
    assert!(again.resumed);
    assert!((499_000_000..=501_000_000).contains(&again.identity_expires_in_us));
}

#[tokio::test(start_paused = true)]
async fn another_user_is_told_another_token_and_the_one_before_is_good_until_that_is_stored() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    peer.show(1, REFRESH, "ali").await;
    let first = peer.identity().await;
    assert!(!first.resume_token.is_empty());
    // Not yet acknowledged, it is not replaced again.
    peer.show(2, CHANGE, "eve").await;
    assert_eq!(peer.identity().await.resume_token, "");
    store_token(&mut peer, 0).await;
    peer.show(3, CHANGE, "ali").await;
    let last = peer.identity().await;
    store_token(&mut peer, 0).await;
    cut(peer).await;
    let (_peer, again) = place.come_back(&last.resume_token, 0).await;
    assert_eq!((again.resumed, &*again.user_id), (true, "ali"));
    assert_eq!(again.client_id, greeting.client_id);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_knows_where_somebody_has_to_be_is_not_waited_for() {
    let place = Place::with(limits(), ServerLimits::default(), |endpoint| {
        endpoint.require_authentication()
    });
    let (mut peer, greeting) = place.connect().await;
    assert_eq!(peer.ask(1, "Who").await, Err(Code::Unauthenticated));
    cut(peer).await;
    assert_eq!(place.state(&greeting), None);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_twice_at_once_goes_on_by_the_later_connection() {
    let place = Place::new();
    let (_peer, greeting) = place.connect().await;
    // Both ask before the connection that has the session has its turn.
    let mut first = place.begin_return(&greeting.resume_token, 0).await;
    let mut second = place.begin_return(&greeting.resume_token, 0).await;
    for peer in [&mut first, &mut second] {
        let again = peer.greeting().await;
        assert!(again.resumed);
        assert_eq!(again.client_id, greeting.client_id);
    }
    assert_eq!(first.closed().await.0, 1001);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_closed_while_it_is_handed_over_is_closed() {
    // Whoever has it at that moment: before it was asked for, while it is under way, and after that.
    for turns in 0..12 {
        let place = Place::new();
        let (_old, greeting) = place.connect().await;
        let session = place.session(&greeting).unwrap();
        let _new = place.begin_return(&greeting.resume_token, 0).await;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        session.close(CloseCode::TryAgainLater, "be gone");
        // Longer than a client is given to close as well.
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert_eq!(place.state(&greeting), None, "after {turns} turns");
        let ends = place.journal.of("disconnect ");
        let closed = ends.iter().filter(|end| *end == "1013 be gone");
        assert_eq!(closed.count(), 1, "after {turns} turns: {ends:?}");
    }
}
