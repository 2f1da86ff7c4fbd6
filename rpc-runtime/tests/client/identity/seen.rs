//! What can be seen from outside: who the client is, what the server said, and no secrets.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use rpc_protocol::{
    FrameKind,
    frame::{AnnouncedLimits, Greeting, Metadata, Pong},
};
use rpc_runtime::{CallError, Client, ClientLimits, CloseCode, auth::Credential};

use super::{tokens, warning};
use crate::{
    by_hand::by_hand,
    service::{call, note, until},
};

#[tokio::test(start_paused = true)]
async fn who_the_client_is_stays_through_a_reconnect_until_the_server_has_decided() {
    let (builder, ends) = by_hand();
    let (_, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    let mut seen = client.identity_changes();
    let mut changes = Vec::new();
    let mut see = || {
        while let Some(Some(identity)) = seen.next().now_or_never() {
            let soon = if identity.expires_soon() { ", soon" } else { "" };
            changes.push(format!("{}{soon}", identity.user().unwrap_or("nobody")));
        }
    };
    see();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.greet(Greeting::default()).await;
    end.authenticate().await;
    end.identity(1, "ann").await;
    until("it is ann", || client.identity().user() == Some("ann")).await;
    see();
    end.tell(warning()).await;
    until("the warning is seen", || client.identity().expires_soon()).await;
    see();
    drop(end);
    let mut end = ends.next().await;
    client.ready().await.unwrap();
    see();
    end.greet(Greeting::default()).await;
    client.greeted().await.unwrap();
    see();
    end.authenticate().await;
    end.identity(1, "ann").await;
    until("it is decided", || !client.identity().expires_soon()).await;
    see();
    end.identity(0, "").await;
    until("it is nobody", || client.identity().is_anonymous()).await;
    see();
    assert_eq!(changes, ["nobody", "ann", "ann, soon", "ann", "nobody"]);
}

#[tokio::test(start_paused = true)]
async fn a_greeting_says_who_the_client_is() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let greeting = |user: &str| Greeting {
        user_id: user.to_owned(),
        identity_expires_in_us: 5_000_000,
        ..Greeting::default()
    };
    let mut end = ends.next().await;
    end.greet(greeting("ann")).await;
    client.greeted().await.unwrap();
    assert_eq!(client.identity().user(), Some("ann"));
    assert!(client.identity().expires().is_some());
    drop(end);
    // Nothing is shown, and so the next server's word counts at once.
    let mut end = ends.next().await;
    end.greet(greeting("")).await;
    until("it is nobody", || client.identity().is_anonymous()).await;
}

#[tokio::test(start_paused = true)]
async fn identity_changes_end_with_the_client_and_do_not_keep_it_open() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let seen = client.identity_changes();
    let end = ends.next().await;
    drop(client);
    assert_eq!(end.closed().await, 1000);
    assert_eq!(seen.count().await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_facts_of_the_greeting_are_there_as_long_as_the_connection() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    assert!(client.greeting().is_none());
    let greeted = tokio::spawn({
        let client = client.clone();
        async move { client.greeted().await }
    });
    let mut end = ends.next().await;
    end.greet(Greeting {
        client_id: "c1".to_owned(),
        authentication_required: true,
        authenticate_within_us: 5_000_000,
        heartbeat_interval_us: 25_000_000,
        heartbeat_timeout_us: 10_000_000,
        server_time_us: 1_000_000,
        own_channel: "$c1".to_owned(),
        resume_token: "secret".to_owned(),
        metadata: vec![Metadata::text("server", "desk")],
        limits: Some(AnnouncedLimits {
            max_streams: 7,
            max_message_bytes: 2_000,
            max_body_bytes: 3_000,
            idle_timeout_us: 60_000_000,
            ..AnnouncedLimits::default()
        }),
        ..Greeting::default()
    })
    .await;
    let greeting = greeted.await.unwrap().unwrap();
    assert_eq!(greeting.client_id(), "c1");
    assert!(greeting.authentication_required());
    assert_eq!(greeting.authenticate_within(), Some(Duration::from_secs(5)));
    assert_eq!(greeting.heartbeat_interval(), Some(Duration::from_secs(25)));
    assert_eq!(greeting.heartbeat_timeout(), Some(Duration::from_secs(10)));
    assert_eq!(greeting.idle_timeout(), Some(Duration::from_secs(60)));
    let since = greeting
        .server_time()
        .unwrap()
        .duration_since(std::time::UNIX_EPOCH);
    assert_eq!(since.unwrap(), Duration::from_secs(1));
    assert_eq!(greeting.own_channel(), "$c1");
    assert_eq!(greeting.metadata().get("server"), Some("desk"));
    assert_eq!(greeting.max_streams(), 7);
    assert_eq!(greeting.max_message_bytes(), 2_000);
    assert_eq!(greeting.max_body_bytes(), 3_000);
    assert!(!format!("{greeting:?}").contains("secret"));
    drop(end);
    until("it is gone", || client.greeting().is_none()).await;
    let mut end = ends.next().await;
    end.greet(Greeting {
        client_id: "c2".to_owned(),
        ..Greeting::default()
    })
    .await;
    assert_eq!(client.greeted().await.unwrap().client_id(), "c2");
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_a_greeting_is_told_that_the_client_is_closed() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let _end = ends.next().await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.greeted().await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.close(CloseCode::Normal, "done");
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_says_nothing_about_who_the_client_is() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut old = ends.next().await;
    let (stream_id, _) = old.request().await;
    old.send(
        0,
        FrameKind::GoAway(rpc_protocol::frame::GoAway {
            last_stream_id: stream_id,
            ..Default::default()
        }),
    )
    .await;
    let mut new = ends.next().await;
    new.identity(0, "ann").await;
    until("it is ann", || client.identity().user() == Some("ann")).await;
    old.identity(0, "bob").await;
    old.answer(stream_id, &note(1)).await;
    running.await.unwrap().unwrap();
    assert_eq!(client.identity().user(), Some("ann"));
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_time_is_that_of_the_last_ping() {
    let (builder, ends) = by_hand();
    let limits = ClientLimits {
        ping_interval: Duration::from_secs(3),
        ..ClientLimits::default()
    };
    let client = builder.limits(limits).lazy().unwrap();
    client.ready().await.unwrap();
    assert_eq!(client.round_trip_time(), None);
    let mut end = ends.next().await;
    let payload = loop {
        if let FrameKind::Ping(ping) = end.frame().await.unwrap().kind {
            break ping.payload;
        }
    };
    tokio::time::sleep(Duration::from_millis(250)).await;
    end.send(0, FrameKind::Pong(Pong { payload })).await;
    until("it is measured", || client.round_trip_time().is_some()).await;
    let time = client.round_trip_time().unwrap();
    assert!(
        time >= Duration::from_millis(250) && time < Duration::from_millis(300),
        "{time:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_shown_by_debug() {
    let secret = "hunter2";
    // What goes with it may be as secret, such as a code that is good once.
    let credential = Credential::bearer(secret).with_metadata("code", secret);
    let shown = format!("{credential:?}");
    assert!(shown.contains("code") && !shown.contains(secret), "{shown}");
    let builder = Client::builder("ws://127.0.0.1:9/rpc").credential(credential);
    assert!(!format!("{builder:?}").contains(secret));
    let client = builder.lazy().unwrap();
    assert!(!format!("{client:?}").contains(secret));

    let (builder, ends) = by_hand();
    let client = builder.credential(Credential::bearer(secret)).lazy().unwrap();
    client.ready().await.unwrap();
    let mut end = ends.next().await;
    end.authenticate().await;
    end.refuse(1, "", rpc_protocol::Code::Unauthenticated).await;
    let closed = client.closed().await;
    assert!(!format!("{client:?} {closed:?} {closed}").contains(secret));
}
