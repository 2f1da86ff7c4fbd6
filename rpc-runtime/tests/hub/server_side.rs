//! Subscriptions that the server makes and ends, as the typed client takes them.

use std::{sync::Arc, time::Duration};

use rpc_runtime::{
    Client, ClientId, CloseCode, Code, Hooks, Limits, Refusal, Session, Status,
    hub::{
        Hub, Namespace, Retention, Subscriber,
        client::{ServerSubscription, ServerSubscriptions, SubscriptionError},
    },
    testing,
};

use crate::{
    common::{builder, settle},
    typed::{Counted, hearers, hub_of, in_memory, item, logs, numbers, publish, silent},
};

async fn taken(subscriptions: &mut ServerSubscriptions) -> ServerSubscription {
    let waits = tokio::time::timeout(Duration::from_secs(60), subscriptions.next());
    waits.await.expect("one is made").unwrap()
}

async fn id(client: &Client) -> ClientId {
    client.greeted().await.unwrap().client_id().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_server_subscribes_to_is_taken_and_read_from_its_beginning() {
    let hub = hub_of(10_000);
    let server = in_memory(&hub);
    let client = server.client();
    // Before the program has asked for its hub, and more than waits for nobody.
    hub.subscribe(id(&client).await, "log:a").await.unwrap();
    publish(&hub, "log:a", 0..500).await;
    settle().await;
    let mut subscriptions = client.hub().server_subscriptions();
    let subscription = taken(&mut subscriptions).await;
    assert_eq!(subscription.channel(), "log:a");
    let mut events = subscription.open::<Counted>();
    let expected: Vec<_> = (0..500).collect();
    assert_eq!(numbers(&mut events, 500).await, expected);
    // It recovers as any other.
    server.disconnect_all().await;
    publish(&hub, "log:a", [500]).await;
    assert_eq!(numbers(&mut events, 1).await, [500]);
    publish(&hub, "log:a", [501]).await;
    assert_eq!(numbers(&mut events, 1).await, [501]);
    events.unsubscribe().await.unwrap();
    assert_eq!(hearers(&hub, "log:a").await, 0);
}

/// Subscribes whoever comes.
struct Lobby;

impl Hooks for Lobby {
    async fn on_connect(&self, session: &Arc<Session>) -> Result<(), Refusal> {
        let subscribed = session.hub().subscribe(session, "lobby").await;
        subscribed
            .map(drop)
            .map_err(|error| Refusal::new(CloseCode::InternalError, error.to_string()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_the_server_may_subscribe_to_goes_on_when_its_hook_does_so_again() {
    let lobby = Namespace::<()>::new("lobby").keep(Retention::of(100, Duration::from_secs(60)));
    let hub = Hub::builder().namespace(lobby).build().unwrap();
    let server = testing::serve(builder(&hub).hooks(Lobby).build().unwrap());
    let client = server.client();
    let mut subscriptions = client.hub().server_subscriptions();
    client.ready().await.unwrap();
    let mut events = taken(&mut subscriptions).await.open::<Counted>();
    let mut number = 0;
    for _ in 0..5 {
        publish(&hub, "lobby", number..number + 3).await;
        number += 3;
        server.disconnect_all().await;
        publish(&hub, "lobby", number..number + 2).await;
        number += 2;
    }
    let expected: Vec<_> = (0..number).collect();
    assert_eq!(numbers(&mut events, expected.len()).await, expected);
    silent(&mut events).await;
    assert_eq!(hearers(&hub, "lobby").await, 1);
    // It was announced once.
    let more = tokio::time::timeout(Duration::from_secs(60), subscriptions.next());
    assert!(more.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_the_server_ends_says_why_and_is_over() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut other = client.hub().subscribe::<Counted>("log:b").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    settle().await;
    let reason = Status::permission_denied("be polite");
    let whom = Subscriber::Client(id(&client).await);
    assert_eq!(hub.unsubscribe(whom, "log:a", &reason).unwrap(), 1);
    assert_eq!(numbers(&mut events, 1).await, [1]);
    match item(&mut events).await {
        Err(SubscriptionError::Ended(status)) => {
            assert_eq!(
                (status.code(), status.message()),
                (Code::PermissionDenied, "be polite")
            );
        }
        other => panic!("not ended: {other:?}"),
    }
    assert!(events.next().await.is_none());
    // Not after a reconnect either; others go on.
    server.disconnect_all().await;
    publish(&hub, "log:b", [2]).await;
    assert_eq!(numbers(&mut other, 1).await, [2]);
    assert_eq!(hearers(&hub, "log:a").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_heard_nothing_when_it_came_back_has_no_gap_in_what_it_is_subscribed_to_later() {
    // Without history, so that a gap which is not one could not be mended either.
    let hub = hub_of(10);
    let limits = Limits {
        resume_window: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = testing::serve(builder(&hub).limits(limits).build().unwrap());
    let client = server.client();
    let mut subscriptions = client.hub().server_subscriptions();
    let before = id(&client).await;
    server.disconnect_all().await;
    settle().await;
    client.ready().await.unwrap();
    assert!(client.greeted().await.unwrap().resumed());
    assert_eq!(id(&client).await, before);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    hub.subscribe(before, "wire:a").await.unwrap();
    publish(&hub, "wire:a", 0..3).await;
    let mut events = taken(&mut subscriptions).await.open::<Counted>();
    assert_eq!(numbers(&mut events, 3).await, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_opened_is_unsubscribed_from() {
    let hub = Hub::builder().namespace(logs(10)).build().unwrap();
    let server = in_memory(&hub);
    let client = server.client();
    let mut subscriptions = client.hub().server_subscriptions();
    hub.subscribe(id(&client).await, "log:a").await.unwrap();
    drop(taken(&mut subscriptions).await);
    settle().await;
    assert_eq!(hearers(&hub, "log:a").await, 0);
    client.close(CloseCode::Normal, "");
    assert!(subscriptions.next().await.is_none());
}
