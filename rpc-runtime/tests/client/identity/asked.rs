//! What a program asks for: to be known, to be another, to be nobody.

use std::{sync::atomic::Ordering, time::Duration};

use rpc_protocol::{
    Code as WireCode, FrameKind,
    frame::{AnnouncedLimits, GoAway, Greeting, Identity},
};
use rpc_runtime::{CallError, Client, CloseCode, Code, ConnectionState, auth::Credential};
use tokio::task::JoinHandle;

use super::{shown, tokens, warning};
use crate::{
    by_hand::{End, Ends, by_hand},
    service::{call, note, until},
};

type Outcome = Result<rpc_runtime::ClientIdentity, CallError>;

async fn connected() -> (Client, Ends, End) {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.greet(Greeting::default()).await;
    (client, ends, end)
}

fn authenticate(client: &Client, token: &str) -> JoinHandle<Outcome> {
    let (client, token) = (client.clone(), token.to_owned());
    tokio::spawn(async move { client.authenticate(Credential::bearer(token)).await })
}

fn change_user(client: &Client, token: &str) -> JoinHandle<Outcome> {
    let (client, token) = (client.clone(), token.to_owned());
    tokio::spawn(async move { client.change_user(Credential::bearer(token)).await })
}

fn sign_out(client: &Client) -> JoinHandle<Result<(), CallError>> {
    let client = client.clone();
    tokio::spawn(async move { client.sign_out().await })
}

#[tokio::test(start_paused = true)]
async fn authenticating_gives_who_the_client_is_and_for_how_long() {
    let (client, _ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    let asked = end.authenticate().await;
    assert_eq!((asked.purpose, shown(&asked)), (0, ("bearer", "abc")));
    end.tell(Identity {
        request_id: asked.request_id,
        user_id: "ann".to_owned(),
        expires_in_us: 60_000_000,
        ..Identity::default()
    })
    .await;
    let identity = outcome.await.unwrap().unwrap();
    assert_eq!(identity.user(), Some("ann"));
    let left = identity.expires().unwrap() - tokio::time::Instant::now();
    assert_eq!(left.as_secs_f64().round() as u64, 60);
    assert_eq!(client.identity(), identity);
}

#[tokio::test(start_paused = true)]
async fn an_accepted_credential_is_shown_again_on_each_later_connection() {
    let (client, ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.identity(1, "ann").await;
    outcome.await.unwrap().unwrap();
    for _ in 0..2 {
        drop(end);
        end = ends.next().await;
        assert_eq!(shown(&end.authenticate().await), ("bearer", "abc"));
        end.identity(1, "ann").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_a_status_changes_nothing_and_is_not_shown_again() {
    let (client, ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.identity(1, "ann").await;
    outcome.await.unwrap().unwrap();
    let outcome = change_user(&client, "wrong");
    end.authenticate().await;
    end.refuse(2, "ann", WireCode::Unauthenticated).await;
    let error = outcome.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Status(_)), "{error:?}");
    assert_eq!(error.code(), Some(Code::Unauthenticated));
    assert_eq!(client.identity().user(), Some("ann"));
    drop(end);
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "abc"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_user_is_asked_for_as_one_and_is_who_comes_back() {
    let (client, ends, mut end) = connected().await;
    for (token, user, id) in [("of ann", "ann", 1), ("of bob", "bob", 2)] {
        let outcome = change_user(&client, token);
        let asked = end.authenticate().await;
        assert_eq!((asked.request_id, asked.purpose), (id, 1));
        end.identity(id, user).await;
        assert_eq!(outcome.await.unwrap().unwrap().user(), Some(user));
    }
    assert_eq!(client.identity().user(), Some("bob"));
    drop(end);
    let mut end = ends.next().await;
    let again = end.authenticate().await;
    assert_eq!((again.purpose, shown(&again)), (0, ("bearer", "of bob")));
}

#[tokio::test(start_paused = true)]
async fn after_a_sign_out_nothing_is_shown_nor_asked_for_until_the_program_authenticates() {
    let (builder, ends) = by_hand();
    let (given, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    let outcome = sign_out(&client);
    let asked = end.authenticate().await;
    assert_eq!((asked.purpose, shown(&asked)), (2, ("", "")));
    end.identity(2, "").await;
    outcome.await.unwrap().unwrap();
    assert!(client.identity().is_anonymous());
    // A warning that had been under way.
    end.tell(warning()).await;
    let quiet = tokio::time::timeout(Duration::from_secs(20), end.frame()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    drop(end);
    let mut end = ends.next().await;
    assert!(matches!(end.frame().await.unwrap().kind, FrameKind::Greeting(_)));
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let first = end.frame().await.unwrap();
    assert!(matches!(first.kind, FrameKind::Request(_)), "{first:?}");
    end.answer(first.stream_id, &note(1)).await;
    running.await.unwrap().unwrap();
    assert_eq!(given.load(Ordering::SeqCst), 1);

    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.identity(1, "ann").await;
    outcome.await.unwrap().unwrap();
    drop(end);
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "token 2"));
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_without_a_connection_makes_none_and_lets_the_next_show_nothing() {
    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
    client.sign_out().await.unwrap();
    assert!(ends.is_empty().await);
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut end = ends.next().await;
    assert!(matches!(end.frame().await.unwrap().kind, FrameKind::Greeting(_)));
    assert!(matches!(end.frame().await.unwrap().kind, FrameKind::Request(_)));
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_while_the_provider_is_asked_lets_its_token_not_be_shown() {
    let (builder, ends) = by_hand();
    let client = builder.credentials(async || {
        tokio::time::sleep(Duration::from_secs(5)).await;
        Ok::<_, std::io::Error>(Credential::bearer("abc"))
    });
    let client = client.lazy().unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    until("it connects", || client.state() == ConnectionState::Connecting).await;
    let outcome = sign_out(&client);
    let mut end = ends.next().await;
    let first = end.authenticate().await;
    assert_eq!((first.purpose, shown(&first)), (2, ("", "")));
    end.identity(1, "").await;
    outcome.await.unwrap().unwrap();
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_counts_although_its_answer_is_lost() {
    let (client, ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.identity(1, "ann").await;
    outcome.await.unwrap().unwrap();
    let outcome = sign_out(&client);
    end.authenticate().await;
    drop(end);
    let error = outcome.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error:?}");
    let running = tokio::spawn(call(&client, "Read", &note(1)).into_future());
    let mut end = ends.next().await;
    end.frame().await;
    let first = end.frame().await.unwrap();
    assert!(matches!(first.kind, FrameKind::Request(_)), "{first:?}");
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_before_a_sign_out_and_accepted_after_it_is_not_shown_again() {
    let (client, ends, mut end) = connected().await;
    let begun = authenticate(&client, "abc");
    end.authenticate().await;
    let outcome = sign_out(&client);
    assert_eq!(end.authenticate().await.purpose, 2);
    end.identity(1, "ann").await;
    begun.await.unwrap().unwrap();
    // The answer to the sign-out is lost with the connection.
    drop(end);
    outcome.await.unwrap().unwrap_err();
    let mut end = ends.next().await;
    end.frame().await;
    let quiet = tokio::time::timeout(Duration::from_secs(5), end.frame()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_while_no_connection_comes_about_is_done() {
    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
    client.ready().await.unwrap();
    let end = ends.next().await;
    drop(ends);
    drop(end);
    until("it is seen", || client.state() != ConnectionState::Connected).await;
    client.sign_out().await.unwrap();
    client.close(CloseCode::Normal, "");
    client.sign_out().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_go_out_behind_the_authentication_that_was_begun_before_them() {
    let (client, _ends, mut end) = connected().await;
    end.frame().await;
    let outcome = authenticate(&client, "abc");
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let kinds = [end.frame().await.unwrap().kind, end.frame().await.unwrap().kind];
    assert!(
        matches!(kinds, [FrameKind::Authenticate(_), FrameKind::Request(_)]),
        "{kinds:?}"
    );
    end.identity(1, "ann").await;
    outcome.await.unwrap().unwrap();
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_authentication_does_not_take_the_answer_of_the_next() {
    let (client, ends, mut end) = connected().await;
    let dropped = authenticate(&client, "dropped");
    end.authenticate().await;
    dropped.abort();
    let kept = change_user(&client, "kept");
    end.authenticate().await;
    // The answers come in the order of asking, and then out of it.
    end.identity(1, "ann").await;
    until("the first is decided", || client.identity().user() == Some("ann")).await;
    assert!(!kept.is_finished());
    end.identity(2, "bob").await;
    assert_eq!(kept.await.unwrap().unwrap().user(), Some("bob"));

    let dropped = authenticate(&client, "dropped");
    end.authenticate().await;
    dropped.abort();
    let kept = change_user(&client, "cat");
    end.authenticate().await;
    end.identity(4, "cat").await;
    assert_eq!(kept.await.unwrap().unwrap().user(), Some("cat"));
    end.refuse(3, "cat", WireCode::Unauthenticated).await;
    // And what was dropped after it was sent has counted, if it was accepted last.
    let dropped = change_user(&client, "of dan");
    end.authenticate().await;
    dropped.abort();
    end.identity(5, "dan").await;
    until("it is dan", || client.identity().user() == Some("dan")).await;
    drop(end);
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "of dan"));
}

#[tokio::test(start_paused = true)]
async fn an_authentication_that_is_never_polled_is_not_sent() {
    let (client, _ends, mut end) = connected().await;
    end.frame().await;
    drop(client.authenticate(Credential::bearer("abc")));
    let quiet = tokio::time::timeout(Duration::from_secs(5), end.frame()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn an_authentication_is_bounded_by_the_timeout_of_calls() {
    let (builder, ends) = by_hand();
    let client = builder.timeout(Duration::from_secs(7)).lazy().unwrap();
    client.ready().await.unwrap();
    let _end = ends.next().await;
    let error = authenticate(&client, "abc").await.unwrap().unwrap_err();
    assert!(
        matches!(error, CallError::TimedOut(time) if time.as_secs() == 7),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_lost_under_an_authentication_is_its_outcome() {
    let (client, ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.close(1012).await;
    match outcome.await.unwrap() {
        Err(CallError::Closed(closed)) => assert_eq!(closed.close_code().as_u16(), 1012),
        other => panic!("{other:?}"),
    }
    let mut end = ends.next().await;
    end.frame().await;
    let quiet = tokio::time::timeout(Duration::from_secs(5), end.frame()).await;
    assert!(quiet.is_err(), "what was not accepted is not shown: {quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_server_accepts_that_goes_away_is_shown_to_the_next_as_well() {
    let (client, ends, mut end) = connected().await;
    let outcome = authenticate(&client, "abc");
    end.authenticate().await;
    end.send(0, FrameKind::GoAway(GoAway::default())).await;
    // The next connection is made before the first has decided.
    let mut next = ends.next().await;
    next.frame().await;
    end.identity(1, "ann").await;
    let again = next.authenticate().await;
    assert_eq!((again.request_id, shown(&again)), (1, ("bearer", "abc")));
    assert!(!outcome.is_finished());
    next.identity(1, "ann").await;
    assert_eq!(outcome.await.unwrap().unwrap().user(), Some("ann"));
    drop(end);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_answers_is_bounded() {
    let (client, _ends, mut end) = connected().await;
    let waiting: Vec<_> = (0..16).map(|_| authenticate(&client, "abc")).collect();
    for _ in 0..16 {
        end.authenticate().await;
    }
    let error = authenticate(&client, "abc").await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted));
    end.identity(1, "ann").await;
    let more = authenticate(&client, "abc");
    assert_eq!(end.authenticate().await.request_id, 17);
    for outcome in waiting.into_iter().chain([more]) {
        outcome.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_over_the_servers_limit_is_refused_here() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.greet(Greeting {
        limits: Some(AnnouncedLimits {
            max_message_bytes: 2_000,
            ..AnnouncedLimits::default()
        }),
        ..Greeting::default()
    })
    .await;
    client.greeted().await.unwrap();
    let error = client
        .authenticate(Credential::bearer("x".repeat(2_000)))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::InvalidArgument));
    assert!(!error.to_string().contains("xxx"), "{error}");
    let outcome = authenticate(&client, "short");
    assert_eq!(end.authenticate().await.request_id, 1);
    outcome.abort();
}
