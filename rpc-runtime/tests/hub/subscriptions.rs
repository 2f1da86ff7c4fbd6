//! Subscriptions of the typed client: what they give, what they skip, how they end, and what several share.

use std::{
    future::IntoFuture,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rpc_runtime::{
    CallError, ClientLimits, Code, Events, Server, Status,
    hub::{
        Asks, Hub, Namespace, Retention, Right, Snapshot,
        client::{ReceivedKind, SubscriptionError},
    },
    services::hub::{HubClient, PublishRequest, SubscribeRequest, SubscribeResponse, TypedMessage},
    testing,
};

use crate::{
    common::{Moved, Peer, Said, no, rooms, said, settle},
    typed::{
        Calls, Counted, client_of, counted, hearers, hub_of, in_memory, item, next, numbers, publish, silent,
    },
};

#[tokio::test(start_paused = true)]
async fn a_subscriber_is_given_what_is_published_with_all_that_is_told_of_it() {
    let hub = Hub::builder()
        .namespace(rooms().tell_publisher())
        .build()
        .unwrap();
    let server = in_memory(&hub);
    let (ali, bo) = (client_of(&server, "ali"), client_of(&server, "bo"));
    let mut room = ali.hub().subscribe::<Said>("room:5").await.unwrap();
    let receipt = bo.hub().publish("room:5", &said("hello")).await.unwrap();
    assert_eq!(receipt.reached, Some(1));
    let event = next(&mut room).await;
    assert_eq!((event.event, event.channel.as_str()), (said("hello"), "room:5"));
    assert_eq!(event.position, receipt.position);
    assert_eq!(event.id, receipt.id.as_ref());
    assert_eq!(event.kind, ReceivedKind::Live);
    assert_eq!(event.user.as_deref(), Some("bo"));
    assert_eq!(event.client.as_deref(), Some(bo.greeting().unwrap().client_id()));
    assert!(event.time.elapsed().unwrap() < Duration::from_secs(60));
    assert_eq!(room.position(), receipt.position);

    let keyed = bo
        .hub()
        .publish("room:5", &said("once"))
        .key("order-1")
        .await
        .unwrap();
    let again = bo
        .hub()
        .publish("room:5", &said("once"))
        .key("order-1")
        .await
        .unwrap();
    assert!(!keyed.duplicate && again.duplicate);
    assert_eq!(next(&mut room).await.id, keyed.id.as_ref());
    silent(&mut room).await;
}

#[tokio::test(start_paused = true)]
async fn of_several_channels_each_is_answered_for_itself() {
    let hub = Hub::builder()
        .namespace(rooms())
        .namespace(Namespace::<()>::new("closed").subscribe(|_: &_, (): &()| no()));
    let server = in_memory(&hub.build().unwrap());
    let client = client_of(&server, "ali");
    let answers = client
        .hub()
        .subscribe_all::<Said>(["room:1", "closed", "no such name", "room:2"])
        .await;
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|_| ()).map_err(CallError::code))
        .collect();
    let (denied, bad) = (Some(Code::PermissionDenied), Some(Code::InvalidArgument));
    assert_eq!(codes, [Ok(()), Err(denied), Err(bad), Ok(())]);
}

#[tokio::test(start_paused = true)]
async fn a_server_without_the_service_is_told_by_its_status() {
    let server = testing::serve(Server::builder().build().unwrap());
    let error = server
        .client()
        .hub()
        .subscribe::<Said>("room:5")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
    let told = error.to_string();
    assert!(
        told.contains(
            "this endpoint does not serve rpc.hub.v1.HubService/Subscribe: its server has to add \
             `.service(rpc_runtime::services::hub::gateway())`"
        ),
        "{told}"
    );
    // By its name as well.
    let server = Server::builder().build().unwrap();
    let mut peer = Peer::connect(&server).await;
    let request = SubscribeRequest::default();
    let refused = peer
        .call::<SubscribeResponse>("Subscribe", &request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(told.ends_with(&refused.message), "{}", refused.message);
}

#[tokio::test(start_paused = true)]
async fn two_subscriptions_of_a_channel_share_one_and_each_is_given_all() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = server.client();
    let mut one = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    let mut other = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [2, 3]).await;
    assert_eq!(numbers(&mut one, 3).await, [1, 2, 3]);
    assert_eq!(numbers(&mut other, 2).await, [2, 3]);
    assert_eq!(hearers(&hub, "log:a").await, 1);
    // The other one goes on, and the server is told nothing.
    one.unsubscribe().await.unwrap();
    publish(&hub, "log:a", [4]).await;
    assert_eq!(numbers(&mut other, 1).await, [4]);
    drop(other);
    settle().await;
    assert_eq!(hearers(&hub, "log:a").await, 0);
}

#[tokio::test(start_paused = true)]
async fn unsubscribing_is_acknowledged_and_dropping_unsubscribes_as_well() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = server.client();
    let subscription = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    assert_eq!(hearers(&hub, "log:a").await, 1);
    subscription.unsubscribe().await.unwrap();
    assert_eq!(hearers(&hub, "log:a").await, 0);

    drop(client.hub().subscribe::<Counted>("log:a").await.unwrap());
    settle().await;
    assert_eq!(hearers(&hub, "log:a").await, 0);

    // Given up before the answer.
    let begun = client.hub().subscribe::<Counted>("log:a").into_future();
    tokio::select! {
        biased;
        _ = begun => panic!("it was answered"),
        () = std::future::ready(()) => {}
    }
    settle().await;
    assert_eq!(hearers(&hub, "log:a").await, 0);
}

#[derive(Debug, Events)]
enum Heard {
    Said(Said),
    Moved(Moved),
}

#[tokio::test(start_paused = true)]
async fn a_closed_set_of_events_comes_in_one_order_and_what_is_none_of_them_is_skipped_and_counted() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.hub().subscribe::<Heard>("log:a").await.unwrap();
    hub.channel("log:a").publish(&Moved { to: 7 }).await.unwrap();
    publish(&hub, "log:a", [1, 2]).await;
    let broken = PublishRequest {
        channel: "log:a".to_owned(),
        event: TypedMessage {
            type_name: "hubtest.Said".to_owned(),
            body: vec![0xff].into(),
        },
        ..PublishRequest::default()
    };
    HubClient::new(client.clone()).publish(broken).await.unwrap();
    hub.channel("log:a").publish(&said("end")).await.unwrap();
    assert!(matches!(
        next(&mut events).await.event,
        Heard::Moved(Moved { to: 7 })
    ));
    let last = next(&mut events).await;
    assert!(matches!(last.event, Heard::Said(Said { text }) if text == "end"));
    assert_eq!((events.skipped(), events.undecodable()), (2, 1));
    assert_eq!(last.position.unwrap().offset, 5);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_comes_first_and_then_every_event_behind_it() {
    let rooms = Namespace::<(u64,)>::new("board:{id}")
        .subscribe(rpc_runtime::hub::Anyone)
        .keep(Retention::of(10, Duration::from_secs(60)))
        .on_subscribe(|_: &rpc_runtime::hub::Asks, _: &(u64,)| Ok(Snapshot::now(&said("state"))));
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = in_memory(&hub);
    let client = server.client();
    let mut board = client.hub().subscribe::<Said>("board:1").await.unwrap();
    hub.channel("board:1").publish(&said("change")).await.unwrap();
    let first = next(&mut board).await;
    assert_eq!((first.event, first.kind), (said("state"), ReceivedKind::Snapshot));
    assert_eq!(next(&mut board).await.event, said("change"));
    // Another one of the same client begins as it has begun, and the first one notices nothing of it.
    let mut other = client.hub().subscribe::<Said>("board:1").await.unwrap();
    hub.channel("board:1").publish(&said("more")).await.unwrap();
    assert_eq!(next(&mut other).await.kind, ReceivedKind::Snapshot);
    assert_eq!(next(&mut other).await.event, said("more"));
    assert_eq!(next(&mut board).await.event, said("more"));
}

#[tokio::test(start_paused = true)]
async fn what_a_client_publishes_for_others_does_not_come_back_and_costs_no_question() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let calls = Calls::default();
    let client = calls.client(&server, ClientLimits::default());
    let other = server.client();
    let mut own = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let mut others = other.hub().subscribe::<Counted>("log:a").await.unwrap();
    for number in [1, 3, 5] {
        let published = client.hub().publish("log:a", &counted(number)).except_self();
        published.await.unwrap();
        publish(&hub, "log:a", [number + 1]).await;
    }
    assert_eq!(numbers(&mut own, 3).await, [2, 4, 6]);
    assert_eq!(numbers(&mut others, 6).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(calls.count("Subscribe"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_jump_that_nobody_explains_is_asked_about_and_what_is_for_others_is_no_gap() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let calls = Calls::default();
    let client = calls.client(&server, ClientLimits::default());
    let mut own = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    let id = client.greeting().unwrap().client_id().parse().unwrap();
    for number in 1..=50 {
        let to = hub.channel("log:a");
        let to = if number % 2 == 0 { to.except(id) } else { to };
        to.publish(&counted(number)).await.unwrap();
    }
    let odd: Vec<_> = (1..=50).filter(|number| number % 2 == 1).collect();
    assert_eq!(numbers(&mut own, 25).await, odd);
    silent(&mut own).await;
    // Held while the first question is answered, and asked about no more often than may be.
    let asked = calls.count("Subscribe");
    assert!((2..=26).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_and_goes_all_the_time_hears_in_the_end_what_the_last_one_asked_for() {
    let hub = hub_of(10_000);
    let server = in_memory(&hub);
    let client = server.client();
    let mut number = 0;
    for round in 0..100 {
        let mut kept = Vec::new();
        for _ in 0..round % 4 {
            kept.push(client.hub().subscribe::<Counted>("log:a").await.unwrap());
            number += 1;
            publish(&hub, "log:a", [number]).await;
        }
        // They go while events come; one of them last and acknowledged, every other time.
        if round % 2 == 0
            && let Some(last) = kept.pop()
        {
            number += 1;
            publish(&hub, "log:a", [number]).await;
            last.unsubscribe().await.unwrap();
        }
    }
    let mut last = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1_000_000]).await;
    assert_eq!(numbers(&mut last, 1).await, [1_000_000]);
    assert_eq!(hearers(&hub, "log:a").await, 1);
    drop(last);
    settle().await;
    assert_eq!(hearers(&hub, "log:a").await, 0);
}

#[tokio::test(start_paused = true)]
async fn presence_and_history_are_read_typed() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = client_of(&server, "ali");
    let _here = client
        .hub()
        .subscribe::<Counted>("log:a")
        .presence(&said("typing"))
        .await
        .unwrap();
    let presence = client.hub().presence("log:a").await.unwrap();
    assert_eq!((presence.clients, presence.users), (1, 1));
    let [member] = presence.members.try_into().unwrap();
    assert_eq!(member.user.as_deref(), Some("ali"));
    assert_eq!(member.data::<Said>().unwrap().unwrap(), said("typing"));
    assert!(member.data::<Moved>().is_none());
    assert!(
        client
            .hub()
            .presence_counts("log:a")
            .await
            .unwrap()
            .members
            .is_empty()
    );

    publish(&hub, "log:a", 1..=5).await;
    hub.channel("log:a").publish(&said("other")).await.unwrap();
    let history = client
        .hub()
        .history::<Counted>("log:a")
        .newest_first()
        .limit(3)
        .await
        .unwrap();
    let read: Vec<_> = history.events.iter().map(|event| event.event.number).collect();
    assert_eq!((read, history.skipped, history.more), (vec![5, 4], 1, true));
    let after = history.events[0].position.unwrap();
    let rest = client
        .hub()
        .history::<Counted>("log:a")
        .after(after)
        .await
        .unwrap();
    assert_eq!((rest.events.len(), rest.skipped, rest.complete), (0, 1, true));
    assert_eq!(rest.last, rest.position);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_ends_what_it_hears_once() {
    let hub = hub_of(100);
    let server = in_memory(&hub);
    let client = server.client();
    let mut events = client.hub().subscribe::<Counted>("log:a").await.unwrap();
    publish(&hub, "log:a", [1]).await;
    settle().await;
    client.close(rpc_runtime::CloseCode::Normal, "enough");
    // What had come before can be read still.
    assert_eq!(numbers(&mut events, 1).await, [1]);
    let end = item(&mut events).await.unwrap_err();
    assert!(end.is_final());
    assert!(
        matches!(end, SubscriptionError::Closed(CallError::Closed(_))),
        "{end}"
    );
    assert!(events.next().await.is_none());
    assert!(client.hub().subscribe::<Counted>("log:a").await.is_err());
    let _: Status = client
        .hub()
        .publish("log:a", &counted(1))
        .await
        .unwrap_err()
        .into_status();
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_could_never_be_given_anything_is_refused_with_what_the_channel_has() {
    let hub = Hub::builder()
        .namespace(rooms().events::<Said>())
        .build()
        .unwrap();
    let server = in_memory(&hub);
    let ali = client_of(&server, "ali");
    let refused = ali.hub().subscribe::<Moved>("room:5").await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    let text = refused.to_string();
    for part in ["`room:5`", "hubtest.Moved", "hubtest.Said", "Namespace::events"] {
        assert!(text.contains(part), "{text}");
    }
    settle().await;
    assert_eq!(
        hearers(&hub, "room:5").await,
        0,
        "nor does the client hear the channel"
    );
    // One that others share is not in their way.
    let mut room = ali.hub().subscribe::<Said>("room:5").await.unwrap();
    let refused = ali.hub().subscribe::<Moved>("room:5").await.unwrap_err();
    assert_eq!(refused.code(), Some(Code::InvalidArgument));
    hub.channel("room:5").publish(&said("hello")).await.unwrap();
    while next(&mut room).await.event != said("hello") {}
}

/// Is never answered when it is asked for the first time.
#[derive(Default)]
struct Stuck(AtomicBool);

impl Right<()> for Stuck {
    async fn check(&self, _: &Asks, (): &()) -> Result<(), Status> {
        if !self.0.swap(true, Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscription_that_was_given_up_while_it_was_asked_for_is_not_made_by_the_next_connection() {
    let hub = Hub::builder()
        .namespace(Namespace::<()>::new("news").subscribe(Stuck::default()))
        .build()
        .unwrap();
    let server = in_memory(&hub);
    let client = server.client();
    tokio::select! {
        biased;
        _ = client.hub().subscribe::<Said>("news").into_future() => panic!("nobody has answered"),
        () = settle() => {}
    }
    server.disconnect_all().await;
    client.greeted().await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(hearers(&hub, "news").await, 0);
}
