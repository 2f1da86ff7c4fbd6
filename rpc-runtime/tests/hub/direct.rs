//! What is sent to a client, to its user, or to all, as the typed client reads it.

use std::time::Duration;

use rpc_runtime::{
    ClientLimits,
    hub::{
        Hub,
        client::{EventStream, Received, SubscriptionError},
    },
};

use crate::{
    common::{Moved, Said, said, settle},
    typed::{Calls, client_of, hub_of, in_memory},
};

async fn next(events: &mut EventStream<Said>) -> Received<Said> {
    let waits = tokio::time::timeout(Duration::from_secs(60), events.next());
    waits.await.expect("something comes").unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn several_listen_for_one_event_and_each_is_given_all() {
    let hub = Hub::default();
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    let (mut one, mut other) = (client.events::<Said>(), client.events::<Said>());
    let greeting = client.greeted().await.unwrap();
    // Known from now on.
    client.hub().presence("x").await.unwrap_err();
    hub.user("ali").publish(&said("user")).await.unwrap();
    hub.client(greeting.client_id().parse().unwrap())
        .publish(&said("client"))
        .await
        .unwrap();
    hub.all().publish(&said("all")).await.unwrap();
    for events in [&mut one, &mut other] {
        for expected in ["user", "client", "all"] {
            let event = next(events).await;
            assert_eq!(event.event, said(expected));
            assert_eq!((event.channel.as_str(), event.position), ("", None));
            assert!(!event.id.is_empty());
        }
    }
    drop(one);
    hub.all().publish(&said("last")).await.unwrap();
    assert_eq!(next(&mut other).await.event, said("last"));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_listens_for_is_counted() {
    let hub = Hub::default();
    let server = in_memory(&hub);
    let client = server.client();
    client.greeted().await.unwrap();
    // Before there is anybody at all, and beside somebody who listens for something else.
    hub.all().publish(&said("unheard")).await.unwrap();
    settle().await;
    assert_eq!(client.hub().unheard(), 1);
    let mut moves = client.events::<Moved>();
    hub.all().publish(&said("unheard")).await.unwrap();
    hub.all().publish(&Moved { to: 1 }).await.unwrap();
    assert_eq!(moves.next().await.unwrap().unwrap().event, Moved { to: 1 });
    assert_eq!(client.hub().unheard(), 2);
    drop(moves);
    hub.all().publish(&Moved { to: 1 }).await.unwrap();
    settle().await;
    assert_eq!(client.hub().unheard(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_read_in_time_is_a_gap_that_says_how_many() {
    let hub = hub_of(1);
    let server = in_memory(&hub);
    let limits = ClientLimits {
        unread_events: 3,
        ..ClientLimits::default()
    };
    let client = Calls::default().client(&server, limits);
    let mut events = client.events::<Said>();
    client.greeted().await.unwrap();
    for number in 0..10 {
        hub.all().publish(&said(&number.to_string())).await.unwrap();
    }
    settle().await;
    assert_eq!(events.unread(), 3);
    for number in 0..3 {
        assert_eq!(next(&mut events).await.event, said(&number.to_string()));
    }
    match events.next().await {
        Some(Err(SubscriptionError::Gap(gap))) => assert_eq!(gap.missed, Some(7)),
        other => panic!("no gap: {other:?}"),
    }
    hub.all().publish(&said("on")).await.unwrap();
    assert_eq!(next(&mut events).await.event, said("on"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_events_goes_on_over_reconnects_and_ends_with_the_client() {
    let hub = hub_of(1);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.events::<Said>();
    client.ready().await.unwrap();
    server.disconnect_all().await;
    client.greeted().await.unwrap();
    hub.all().publish(&said("again")).await.unwrap();
    assert_eq!(next(&mut events).await.event, said("again"));
    client.close(rpc_runtime::CloseCode::Normal, "");
    let end = events.next().await.unwrap().unwrap_err();
    assert!(matches!(end, SubscriptionError::Closed(_)), "{end}");
    assert!(events.next().await.is_none());
    // One that is made later ends as well.
    assert!(client.events::<Said>().next().await.unwrap().is_err());
}
