//! The Rust client: it keeps its token, comes back with it, and says what became of its calls.

use std::time::Duration;

use rpc_runtime::{
    CallError, Client, Code, Limits, ServerGreeting, ServerLimits, SessionState,
    auth::Credential,
    testing::{self, TestServer},
};

use crate::{
    house::{Note, method, note},
    peer::settle,
    support::{Place, WINDOW},
};

fn word(user: &str) -> Credential {
    Credential::new("word", user.to_owned())
}

async fn call(client: &Client, name: &str) -> Result<String, CallError> {
    let answer: Note = client.unary(method(name), &note("")).await?;
    Ok(answer.text)
}

async fn greeted(client: &Client) -> ServerGreeting {
    client.greeted().await.expect("is greeted")
}

/// Loses the connection, and waits until the client is back.
async fn cut(server: &TestServer, client: &Client) {
    server.disconnect_all().await;
    settle().await;
    client.ready().await.expect("comes back");
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_comes_back_to_its_session_again_and_again() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.authenticate(word("ali")).await.unwrap();
    let greeting = greeted(&client).await;
    assert!(!greeting.resumed());
    assert_eq!(greeting.resume_within(), Some(WINDOW));
    for _ in 0..5 {
        cut(&server, &client).await;
        let again = greeted(&client).await;
        assert!(again.resumed());
        assert_eq!(again.client_id(), greeting.client_id());
        assert_eq!(client.identity().user(), Some("ali"));
        let who = call(&client, "Who").await.unwrap();
        assert!(who.starts_with("ali ali authenticated"), "{who}");
    }
    assert_eq!(place.journal.of("connect").len(), 1);
    assert_eq!(place.journal.of("resume").len(), 5);
    assert_eq!(place.server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_under_way_fails_as_unavailable_and_may_have_run_and_the_session_goes_on() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.ready().await.unwrap();
    let before = greeted(&client).await;
    let calling = tokio::spawn({
        let client = client.clone();
        async move { call(&client, "Wait").await }
    });
    settle().await;
    assert_eq!(place.house.waiting(), 1);
    cut(&server, &client).await;
    let error = calling.await.unwrap().expect_err("is lost");
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert!(error.may_have_run(), "{error}");
    assert_eq!(greeted(&client).await.client_id(), before.client_id());
    // One that comes while there is no connection has not.
    server.disconnect_all().await;
    settle().await;
    let error = call(&client, "Who").await.expect_err("is not sent");
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert!(!error.may_have_run(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_not_to_resume_begins_a_new_session_with_each_connection() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.builder().resume(false).lazy().unwrap();
    client.ready().await.unwrap();
    let before = greeted(&client).await;
    cut(&server, &client).await;
    let after = greeted(&client).await;
    assert!(!after.resumed());
    assert_ne!(after.client_id(), before.client_id());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_too_late_or_to_another_server_begins_a_new_session_as_whom_it_was() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.authenticate(word("ali")).await.unwrap();
    let before = greeted(&client).await;
    server.kill().await;
    tokio::time::sleep(WINDOW + Duration::from_secs(1)).await;
    server.restart(place.server.clone());
    client.ready().await.unwrap();
    let late = greeted(&client).await;
    assert!(!late.resumed());
    assert_ne!(late.client_id(), before.client_id());
    let who = call(&client, "Who").await.unwrap();
    assert!(who.starts_with("ali ali authenticated"), "{who}");
    // A server that knows nothing of it.
    server.kill().await;
    server.restart(Place::new().server);
    client.ready().await.unwrap();
    let elsewhere = greeted(&client).await;
    assert!(!elsewhere.resumed());
    assert_ne!(elsewhere.client_id(), late.client_id());
    let who = call(&client, "Who").await.unwrap();
    assert!(who.starts_with("ali ali authenticated"), "{who}");
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_server_keeps_no_sessions_is_what_it_was() {
    let place = Place::with(Limits::default(), ServerLimits::default(), |endpoint| endpoint);
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.ready().await.unwrap();
    let before = greeted(&client).await;
    assert_eq!(before.resume_within(), None);
    cut(&server, &client).await;
    assert_ne!(greeted(&client).await.client_id(), before.client_id());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_about_to_be_somebody_else_does_not_come_back_as_whom_it_was() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.authenticate(word("ali")).await.unwrap();
    let before = greeted(&client).await;
    let changing = tokio::spawn({
        let client = client.clone();
        async move { client.change_user(word("eve after 3")).await }
    });
    settle().await;
    cut(&server, &client).await;
    assert!(changing.await.unwrap().is_err());
    let after = greeted(&client).await;
    assert!(!after.resumed());
    assert_ne!(after.client_id(), before.client_id());
}

#[tokio::test(start_paused = true)]
async fn after_a_sign_out_a_client_comes_back_as_nobody() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.authenticate(word("ali")).await.unwrap();
    client.sign_out().await.unwrap();
    cut(&server, &client).await;
    assert!(greeted(&client).await.resumed());
    assert!(client.identity().is_anonymous());
    let who = call(&client, "Who").await.unwrap();
    assert!(who.starts_with("nobody nobody anonymous"), "{who}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_signs_out_without_a_connection_does_not_come_back_as_whom_it_was() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.authenticate(word("ali")).await.unwrap();
    let before = greeted(&client).await;
    server.kill().await;
    settle().await;
    client.sign_out().await.unwrap();
    // Its session waits for it still.
    server.restart(place.server.clone());
    client.ready().await.unwrap();
    let after = greeted(&client).await;
    assert!(!after.resumed());
    assert_ne!(after.client_id(), before.client_id());
    let who = call(&client, "Who").await.unwrap();
    assert!(who.starts_with("nobody nobody anonymous"), "{who}");
    // And from then on it comes back as it is.
    cut(&server, &client).await;
    assert!(greeted(&client).await.resumed());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_leaves_at_once() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.ready().await.unwrap();
    settle().await;
    drop(client);
    settle().await;
    assert_eq!(place.server.connections(), 0);
    assert_eq!(place.journal.of("detach").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_client_is_away_is_seen_as_such() {
    let place = Place::new();
    let server = testing::serve(place.server.clone());
    let client = server.client();
    client.ready().await.unwrap();
    settle().await;
    let session = place.server.sessions().next().expect("is there");
    let mut states = session.state_changes();
    server.disconnect_all().await;
    let away = states.wait_for(|state| *state == SessionState::Detached).await;
    away.map(drop).unwrap();
    client.ready().await.unwrap();
    let back = states.wait_for(|state| *state == SessionState::Anonymous).await;
    back.map(drop).unwrap();
}
