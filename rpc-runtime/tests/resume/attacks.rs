//! Tokens that are replayed, stolen, or shown by somebody else.

use rpc_protocol::frame::Greeting;
use rpc_runtime::SessionState;
use tracing::Level;

use crate::{
    collector::Collector,
    house::identity_for,
    peer::{REFRESH, info, settle},
    support::{Place, cut, store_token},
};

/// A warning was logged, it names the session, and nothing that was logged tells its token.
fn assert_logged(log: &Collector, warning: &str, session: &Greeting) {
    let logged = log.event(warning).unwrap();
    assert_eq!(logged.field("client"), session.client_id);
    assert!(logged.fields.contains_key("from"), "{logged:?}");
    assert!(!session.resume_token.is_empty());
    assert!(!format!("{log:?}").contains(&session.resume_token), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_with_each_resume_and_the_one_before_is_good_until_its_successor_is_stored() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let mut token = greeting.resume_token.clone();
    for _ in 0..3 {
        let (peer, lost) = place.come_back(&token, 0).await;
        cut(peer).await;
        // The client never read that greeting, and comes with what it has.
        let (mut peer, again) = place.come_back(&token, 0).await;
        assert!(lost.resumed && again.resumed);
        assert_eq!(again.client_id, greeting.client_id);
        assert_ne!(again.resume_token, lost.resume_token);
        store_token(&mut peer, 0).await;
        cut(peer).await;
        token = again.resume_token;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_used_up_closes_with_4506_and_its_session_with_it() {
    let (log, _logs) = Collector::install(Level::TRACE);
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let (mut client, _) = place.come_back(&greeting.resume_token, 0).await;
    store_token(&mut client, 0).await;
    let mut thief = place.begin_return(&greeting.resume_token, 0).await;
    assert_eq!(thief.closed_next().await.0, 4506);
    assert_logged(
        &log,
        "a resume token was used twice: the session is closed",
        &greeting,
    );
    // It comes back, and begins a new session.
    assert_eq!(client.closed().await.0, 1013);
    client.gone().await;
    assert_eq!(place.state(&greeting), None);
    let lines = place.journal.lines();
    assert_eq!(lines[..3], ["connect", "detach", "resume"]);
    assert!(
        lines[3].starts_with("disconnect 1013 ") && lines.len() == 4,
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_used_up_token_closes_a_session_that_waits_as_well() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let (mut client, again) = place.come_back(&greeting.resume_token, 0).await;
    store_token(&mut client, 0).await;
    cut(client).await;
    let mut thief = place.begin_return(&greeting.resume_token, 0).await;
    assert_eq!(thief.closed_next().await.0, 4506);
    settle().await;
    assert_eq!(place.state(&greeting), None);
    let (_peer, fresh) = place.come_back(&again.resume_token, 0).await;
    assert!(!fresh.resumed);
}

#[tokio::test(start_paused = true)]
async fn of_a_thief_and_the_client_with_the_same_token_the_second_to_come_closes_the_session_of_the_first() {
    let place = Place::new();
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let (mut thief, stolen) = place.come_back(&greeting.resume_token, 0).await;
    assert!(
        stolen.resumed,
        "who has the token is the client, until the client comes"
    );
    store_token(&mut thief, 0).await;
    let mut client = place.begin_return(&greeting.resume_token, 0).await;
    assert_eq!(client.closed_next().await.0, 4506);
    assert_eq!(thief.closed().await.0, 1013);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_not_resumed_by_another_identity_and_lives_on() {
    let (log, _logs) = Collector::install(Level::TRACE);
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    assert!(peer.authenticate(1, REFRESH, "ali").await.is_ok());
    cut(peer).await;
    let eve = info().with_identity(identity_for("eve", 600));
    let mut peer = place.begin_return_as(eve, &greeting.resume_token, 0).await;
    assert_eq!(peer.closed_next().await.0, 4506);
    assert_eq!(place.state(&greeting), Some(SessionState::Detached));
    let warning = "not resumed: the handshake's identity is not the session's";
    assert_logged(&log, warning, &greeting);
    // Nor one that was nobody's by somebody.
    let (anonymous, nobody) = place.connect().await;
    cut(anonymous).await;
    let eve = info().with_identity(identity_for("eve", 600));
    let mut peer = place.begin_return_as(eve, &nobody.resume_token, 0).await;
    assert_eq!(peer.closed_next().await.0, 4506);
    for token in [&greeting.resume_token, &nobody.resume_token] {
        let (_peer, again) = place.come_back(token, 0).await;
        assert!(again.resumed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_acknowledges_what_was_never_sent_is_closed_with_4502() {
    let place = Place::new();
    let (mut peer, greeting) = place.connect().await;
    store_token(&mut peer, 1).await;
    assert_eq!(peer.closed_next().await.0, 4502);
    peer.gone().await;
    assert_eq!(place.state(&greeting), None, "a violation ends the session");
    // Nor does it resume with that.
    let (peer, greeting) = place.connect().await;
    cut(peer).await;
    let (_peer, fresh) = place.come_back(&greeting.resume_token, 1).await;
    assert!(!fresh.resumed);
}
