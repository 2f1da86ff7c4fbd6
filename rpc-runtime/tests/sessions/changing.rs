//! Authentication on a live connection: becoming known, staying so, becoming another, and nobody.

use std::sync::Arc;

use rpc_runtime::{CloseCode, Code, Context, Endpoint, Server, SessionState, Status, auth::Identity};
use tokio::sync::Notify;

use crate::{
    house::{Act, House, Journal, Watcher, Words, endpoint},
    peer::{CHANGE, Peer, REFRESH, SIGN_OUT, info, serve, settle},
};

/// A server with one set of hooks, and what they write down.
fn watched(house: &House, words: &Words) -> (Server, Journal) {
    let journal = words.journal.clone();
    let server = serve(endpoint(house, words).hooks(Watcher::new("hook", &journal)));
    (server, journal)
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_client_becomes_known_refreshes_becomes_another_and_goes_back_to_anonymous() {
    let (server, journal) = watched(&House::default(), &Words::default());
    let mut peer = Peer::connect(&server).await;
    assert_eq!(peer.ask(1, "WaitKnown").await, Err(Code::Unauthenticated));
    assert_eq!(peer.authenticate(1, REFRESH, "ali").await.unwrap(), "ali");
    let who = peer.ask(2, "Who").await.unwrap();
    assert_eq!(who, "ali ali authenticated Some(\"marked for ali\")");
    assert_eq!(peer.authenticate(2, REFRESH, "ali for 60").await.unwrap(), "ali");
    assert_eq!(peer.authenticate(3, CHANGE, "eve").await.unwrap(), "eve");
    assert!(
        peer.ask(3, "Who")
            .await
            .unwrap()
            .starts_with("eve eve authenticated")
    );
    assert!(server.sessions_of("ali").is_empty());
    assert_eq!(peer.authenticate(4, SIGN_OUT, "").await.unwrap(), "");
    assert!(
        peer.ask(4, "Who")
            .await
            .unwrap()
            .starts_with("nobody nobody anonymous")
    );
    assert!(server.sessions_of("eve").is_empty());
    // Signing out twice is fine.
    assert_eq!(peer.authenticate(5, SIGN_OUT, "").await.unwrap(), "");
    let states = [
        "connecting to anonymous",
        "anonymous to authenticating",
        "authenticating to authenticated",
        "authenticated to authenticating",
        "authenticating to authenticated",
        "authenticated to anonymous",
    ];
    assert_eq!(journal.of("hook state "), states, "a refresh changes no state");
    assert_eq!(
        journal.of("hook authenticated "),
        ["ali", "eve"],
        "nor is it told to hooks"
    );
    let asked = ["authenticate ali", "authenticate ali for 60", "change eve"];
    assert_eq!(journal.of("asked "), asked);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_takes_a_role_away_holds_for_calls_that_begin_then_and_ends_none() {
    let (house, words) = (House::default(), Words::default());
    let endpoint =
        Endpoint::new()
            .service(house.clone())
            .authenticator(words)
            .guard("anybody", |cx: &Context| match cx.identity() {
                Some(known) if known.has_role("staff") => Ok(()),
                _ => Err(Status::permission_denied("this is for the staff")),
            });
    let mut peer = Peer::connect(&serve(endpoint)).await;
    peer.authenticate(1, REFRESH, "ali as staff").await.unwrap();
    peer.call(1, "WaitGuarded", "").await;
    settle().await;
    assert_eq!(peer.authenticate(2, REFRESH, "ali").await.unwrap(), "ali");
    assert_eq!(peer.ask(2, "WaitGuarded").await, Err(Code::PermissionDenied));
    assert_eq!(house.waiting(), 1, "the one before goes on");
    house.release.notify_one();
    assert_eq!(peer.answer().await, (1, Ok("ali".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_sent_behind_a_credential_run_under_it_and_those_before_it_do_not() {
    let words = Words::default();
    let (server, _) = watched(&House::default(), &words);
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Who", "").await;
    peer.show(1, REFRESH, "ali told").await;
    peer.call(2, "Who", "").await;
    assert!(peer.answer().await.1.unwrap().starts_with("nobody"));
    peer.hears_nothing().await;
    let session = server.sessions().next().unwrap();
    assert_eq!(session.state(), SessionState::Authenticating);
    assert!(session.user().is_none());
    words.told.notify_one();
    assert_eq!(peer.identity().await.user_id, "ali");
    assert!(
        peer.answer()
            .await
            .1
            .unwrap()
            .starts_with("ali ali authenticated")
    );
    // The same for a change of user, and for signing out, all in one batch.
    peer.call(3, "Who", "").await;
    peer.show(2, CHANGE, "eve").await;
    peer.call(4, "Who", "").await;
    peer.show(3, SIGN_OUT, "").await;
    peer.call(5, "Who", "").await;
    assert!(peer.answer().await.1.unwrap().starts_with("ali"));
    assert_eq!(peer.identity().await.user_id, "eve");
    assert!(peer.answer().await.1.unwrap().starts_with("eve"));
    assert_eq!(peer.identity().await.user_id, "");
    assert!(peer.answer().await.1.unwrap().starts_with("nobody"));
}

#[tokio::test(start_paused = true)]
async fn calls_behind_a_credential_wait_for_the_hooks_of_the_user_too() {
    let (house, words, told) = (House::default(), Words::default(), Arc::new(Notify::new()));
    let server = serve(endpoint(&house, &words).hooks(Watcher {
        authenticated: Act::When(told.clone()),
        ..Watcher::new("hook", &words.journal)
    }));
    let mut peer = Peer::connect(&server).await;
    peer.show(1, REFRESH, "ali").await;
    peer.call(1, "Who", "").await;
    peer.hears_nothing().await;
    assert_eq!(words.journal.of("hook authenticated "), ["ali"]);
    told.notify_one();
    assert_eq!(peer.identity().await.user_id, "ali");
    assert!(
        peer.answer()
            .await
            .1
            .unwrap()
            .starts_with("ali ali authenticated")
    );
}

#[tokio::test(start_paused = true)]
async fn running_calls_and_streams_go_on_while_a_credential_is_looked_at() {
    let (house, words) = (House::default(), Words::default());
    let (server, _) = watched(&house, &words);
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Wait", "").await;
    peer.show(1, REFRESH, "ali told").await;
    settle().await;
    house.release.notify_waiters();
    assert_eq!(peer.answer().await, (1, Ok("nobody".to_owned())));
    words.told.notify_one();
    assert_eq!(peer.identity().await.user_id, "ali");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_shuts_no_gate_and_a_second_one_waits_for_the_first() {
    let (house, words) = (House::default(), Words::default());
    let (server, journal) = watched(&house, &words);
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.show(2, REFRESH, "ali told").await;
    assert!(
        peer.ask(1, "Who")
            .await
            .unwrap()
            .starts_with("ali ali authenticated")
    );
    peer.show(3, REFRESH, "ali").await;
    peer.call(2, "Who", "").await;
    peer.show(4, SIGN_OUT, "").await;
    peer.call(3, "Who", "").await;
    peer.hears_nothing().await;
    assert_eq!(
        journal.of("asked "),
        ["authenticate ali", "authenticate ali told"]
    );
    words.told.notify_one();
    assert_eq!(peer.identity().await.request_id, 2);
    // The second is looked at now, and what stands behind it is too.
    let mut rest = Vec::new();
    for _ in 0..4 {
        let frame = peer.frame().await;
        rest.push(match frame.kind {
            rpc_protocol::FrameKind::Identity(identity) => format!("identity {}", identity.request_id),
            _ => format!("call {}", frame.stream_id),
        });
    }
    rest.sort();
    assert_eq!(rest, ["call 2", "call 3", "identity 3", "identity 4"]);
}

#[tokio::test(start_paused = true)]
async fn another_subject_on_a_refresh_closes_with_4503() {
    let (server, journal) = watched(&House::default(), &Words::default());
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.show(2, REFRESH, "eve").await;
    assert_eq!(peer.closed().await.0, 4503);
    peer.gone().await;
    assert_eq!(journal.of("hook authenticated "), ["ali"]);
    assert_eq!(journal.of("hook disconnect ").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_to_the_same_user_is_a_refresh_for_calls_and_hooks() {
    let (house, words) = (House::default(), Words::default());
    let (server, journal) = watched(&house, &words);
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, CHANGE, "ali").await.unwrap();
    peer.call(1, "WaitKnown", "").await;
    settle().await;
    peer.authenticate(2, CHANGE, "ali").await.unwrap();
    house.release.notify_waiters();
    assert_eq!(peer.answer().await, (1, Ok("ali".to_owned())));
    assert_eq!(journal.of("hook authenticated "), ["ali"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_user_and_a_sign_out_end_calls_of_who_is_gone_once_and_let_the_others_go_on() {
    for (purpose, word) in [(CHANGE, "eve"), (SIGN_OUT, "")] {
        let (house, words) = (House::default(), Words::default());
        let (server, _) = watched(&house, &words);
        let mut peer = Peer::connect(&server).await;
        // Begun anonymously: nobody's identity goes with it.
        peer.call(1, "WaitGuarded", "").await;
        peer.authenticate(1, REFRESH, "ali").await.unwrap();
        peer.call(2, "Wait", "").await;
        peer.call(3, "WaitKnown", "").await;
        peer.call(4, "WaitGuarded", "").await;
        peer.call(5, "WaitApart", "").await;
        peer.call(6, "WatchKnown", "prices").await;
        // It is opened, and then there is one message.
        assert_eq!(peer.answer().await, (6, Ok(String::new())));
        assert_eq!(peer.answer().await, (6, Ok("ali prices".to_owned())));
        settle().await;
        assert_eq!(house.waiting(), 6);
        peer.show(2, purpose, word).await;
        let mut ended = Vec::new();
        for _ in 0..4 {
            let (stream_id, answer) = peer.answer().await;
            assert_eq!(answer, Err(Code::Unauthenticated), "{stream_id}");
            ended.push(stream_id);
        }
        ended.sort_unstable();
        assert_eq!(ended, [3, 4, 5, 6]);
        assert_eq!(peer.identity().await.user_id, word);
        settle().await;
        assert_eq!(house.waiting(), 2, "their handlers are dropped");
        house.release.notify_waiters();
        let mut answers = [peer.answer().await, peer.answer().await];
        answers.sort_by_key(|(id, _)| *id);
        assert_eq!(answers, [(1, Ok("nobody".to_owned())), (2, Ok("ali".to_owned()))]);
        peer.hears_nothing().await;
        let session = server.sessions().next().unwrap();
        assert_eq!(session.stats().open_calls, 0, "their places are free");
        assert_eq!(session.stats().failed_calls, 4);
    }
}

#[tokio::test(start_paused = true)]
async fn where_authentication_is_required_a_sign_out_ends_every_call() {
    let (house, words) = (House::default(), Words::default());
    let server = serve(endpoint(&house, &words).require_authentication());
    let mut peer = Peer::connect(&server).await;
    peer.authenticate(1, REFRESH, "ali").await.unwrap();
    peer.call(1, "Wait", "").await;
    settle().await;
    peer.show(2, SIGN_OUT, "").await;
    assert_eq!(peer.answer().await, (1, Err(Code::Unauthenticated)));
    assert_eq!(peer.identity().await.user_id, "");
    assert_eq!(peer.ask(2, "Who").await, Err(Code::Unauthenticated));
}

#[tokio::test(start_paused = true)]
async fn a_user_that_hooks_refuse_in_band_is_closed_with_their_code() {
    let (house, words) = (House::default(), Words::default());
    let server = serve(endpoint(&house, &words).hooks(Watcher {
        authenticated: Act::Refuse(CloseCode::PolicyViolation),
        ..Watcher::new("hook", &words.journal)
    }));
    let mut peer = Peer::connect(&server).await;
    peer.show(1, REFRESH, "ali").await;
    assert_eq!(peer.closed().await.0, 1008);
    peer.gone().await;
    assert_eq!(words.journal.of("hook disconnect "), ["1008 not today"]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_without_authenticators_answers_unimplemented_and_counts_a_fault() {
    let server = serve(rpc_runtime::Endpoint::new());
    let info = info().with_identity(Identity::new("ali"));
    let (mut peer, _) = Peer::connect_as(&server, info).await;
    for id in 1..=32 {
        let refused = peer.authenticate(id, REFRESH, "ali").await.unwrap_err();
        assert_eq!(refused, (Code::Unimplemented, "ali".to_owned()));
    }
    peer.show(33, REFRESH, "ali").await;
    assert_eq!(peer.closed().await.0, 4429);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_away_while_its_credential_is_looked_at_drops_the_authenticator() {
    let (house, words) = (House::default(), Words::default());
    let (server, journal) = watched(&house, &words);
    let mut peer = Peer::connect(&server).await;
    peer.show(1, REFRESH, "never").await;
    settle().await;
    assert_eq!(journal.of("asked "), ["authenticate never"]);
    drop(peer);
    settle().await;
    assert_eq!(journal.of("answered "), ["never"]);
    assert_eq!(journal.of("hook disconnect "), ["1006 "]);
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_draining_server_still_looks_at_credentials_and_keeps_the_state() {
    let (house, words) = (House::default(), Words::default());
    let (server, journal) = watched(&house, &words);
    let mut peer = Peer::connect(&server).await;
    peer.call(1, "Wait", "").await;
    peer.show(1, REFRESH, "ali told").await;
    settle().await;
    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.shutdown().await }
    });
    settle().await;
    words.told.notify_one();
    house.release.notify_waiters();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(peer.frame().await.kind.name());
    }
    seen.sort_unstable();
    assert_eq!(seen, ["go-away", "identity", "response"]);
    assert_eq!(peer.closed().await.0, 1012);
    peer.gone().await;
    stopping.await.unwrap();
    let states = [
        "connecting to anonymous",
        "anonymous to authenticating",
        "authenticating to draining",
        "draining to closed",
    ];
    assert_eq!(journal.of("hook state "), states);
}
