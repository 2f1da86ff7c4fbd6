//! Staying known on a live connection.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_protocol::Code as WireCode;
use rpc_runtime::auth::Credential;
use tokio::time::Instant;

use super::{shown, tokens, warning};
use crate::{
    by_hand::by_hand,
    service::{call, note, until},
};

#[tokio::test(start_paused = true)]
async fn a_warning_is_answered_with_a_fresh_token_that_is_asked_for_once() {
    let (builder, ends) = by_hand();
    let (given, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    let (stream_id, _) = end.request().await;
    // Said again and again, before and after it is heard, and before the answer comes.
    end.tell(warning()).await;
    end.tell(warning()).await;
    let fresh = end.authenticate().await;
    end.tell(warning()).await;
    assert_eq!((shown(&fresh), fresh.purpose), (("bearer", "token 2"), 0));
    until("the warning is seen", || client.identity().expires_soon()).await;
    end.identity(fresh.request_id, "ann").await;
    until("it is over", || !client.identity().expires_soon()).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(given.load(Ordering::SeqCst), 2);
    // What ran has gone on.
    end.answer(stream_id, &note(1)).await;
    running.await.unwrap().unwrap();
    // The next warning is another one.
    end.tell(warning()).await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "token 3"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_warns_without_end_does_not_have_tokens_fetched_without_end() {
    let (builder, ends) = by_hand();
    let (given, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        let authenticate = end.authenticate().await;
        end.identity(authenticate.request_id, "ann").await;
        end.tell(warning()).await;
    }
    let given = given.load(Ordering::SeqCst);
    assert!(given <= 12, "one a second: {given}");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_is_tried_again_less_and_less_often_and_4401_comes_back_with_a_new_token() {
    let (builder, ends) = by_hand();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let client = builder.credentials(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                0 => Ok(Credential::bearer("first")),
                1..=4 => Err(io::Error::other("nobody is at home")),
                _ => Ok(Credential::bearer("second")),
            }
        }
    });
    let client = client.lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    end.tell(warning()).await;
    until("it was asked", || asked.load(Ordering::SeqCst) == 2).await;
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    // After 1, 2 and 4 seconds.
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 5);
    end.close(4401).await;
    let mut end = ends.next().await;
    assert_eq!(shown(&end.authenticate().await), ("bearer", "second"));
    end.identity(1, "ann").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 6, "nobody asks for what is gone");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_the_server_refuses_is_tried_again_with_another_token() {
    let (builder, ends) = by_hand();
    let (_, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    end.tell(warning()).await;
    let fresh = end.authenticate().await;
    end.refuse(fresh.request_id, "ann", WireCode::Unavailable).await;
    let fresh = end.authenticate().await;
    assert_eq!(shown(&fresh), ("bearer", "token 3"));
    end.identity(fresh.request_id, "ann").await;
    until("it is known", || client.identity().user() == Some("ann")).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_provider_a_warning_is_for_the_program() {
    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer("abc")).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    end.tell(warning()).await;
    until("it is seen", || client.identity().expires_soon()).await;
    let left = client.identity().expires().unwrap() - Instant::now();
    assert!(
        left > Duration::from_secs(19) && left <= Duration::from_secs(20),
        "{left:?}"
    );
    let program = tokio::spawn({
        let client = client.clone();
        async move { client.authenticate(Credential::bearer("def")).await }
    });
    // Nothing but what the program asks for.
    let fresh = end.authenticate().await;
    assert_eq!((fresh.request_id, shown(&fresh)), (2, ("bearer", "def")));
    end.identity(2, "ann").await;
    assert_eq!(program.await.unwrap().unwrap().user(), Some("ann"));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_comes_when_the_program_has_changed_users_is_not_shown() {
    let (builder, ends) = by_hand();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let client = builder.credentials(move || {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 1 {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
            Ok::<_, io::Error>(Credential::bearer("of ann"))
        }
    });
    let client = client.lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    end.tell(warning()).await;
    until("it is asked", || asked.load(Ordering::SeqCst) == 2).await;
    let program = tokio::spawn({
        let client = client.clone();
        async move { client.change_user(Credential::bearer("of bob")).await }
    });
    let changed = end.authenticate().await;
    assert_eq!((changed.purpose, shown(&changed)), (1, ("bearer", "of bob")));
    end.identity(2, "bob").await;
    program.await.unwrap().unwrap();
    let more = tokio::time::timeout(Duration::from_secs(20), end.authenticate()).await;
    assert!(more.is_err(), "{more:?}");
}
