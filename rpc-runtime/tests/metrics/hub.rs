//! The hub, by its namespaces.

use rpc_runtime::{
    ConnectInfo, Limits, Server,
    hub::{Anyone, Hub, Namespace, Notification, Retention, SlowConsumer},
    services::hub::{
        ChannelPosition, HubClient, SubscribeChannel, SubscribeRequest, UnsubscribeRequest, gateway,
    },
    testing,
};

use crate::recorder::Recorded;

/// A server of a hub that counts, and keeps so many bytes of events for a client.
fn serve(hub: &Hub, event_queue_bytes: usize) -> testing::TestServer {
    let limits = Limits {
        event_queue_bytes,
        ..Limits::default()
    };
    let server = Server::builder()
        .hub(hub.clone())
        .service(gateway())
        .limits(limits)
        .metrics();
    testing::serve(server.build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_does_is_counted_by_namespaces_and_never_by_channels() {
    let recorded = Recorded::new();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(10, std::time::Duration::from_secs(60)));
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = serve(&hub, Limits::default().event_queue_bytes);
    let client = HubClient::new(server.client());
    let channels = (1..=3).map(|id| SubscribeChannel {
        channel: format!("room:{id}"),
        ..SubscribeChannel::default()
    });
    let request = SubscribeRequest {
        channels: channels.collect(),
    };
    let answers = client.subscribe(request).await.unwrap().answers;
    assert_eq!(recorded.value("rpc_hub_subscriptions namespace=room:{id}"), 3.0);
    let event = Notification::info("hello", "");
    hub.channel("room:1").publish(&event).await.unwrap();
    hub.channel("room:9").publish(&event).await.unwrap();
    hub.all().publish(&event).await.unwrap();
    assert_eq!(recorded.value("rpc_hub_published_total namespace=room:{id}"), 2.0);
    assert_eq!(recorded.value("rpc_hub_delivered_total namespace=room:{id}"), 1.0);
    assert_eq!(recorded.value("rpc_hub_published_total namespace=(direct)"), 1.0);
    assert_eq!(recorded.value("rpc_hub_delivered_total namespace=(direct)"), 1.0);
    for (epoch, outcome) in [(0, "recovered"), (1, "not_recovered")] {
        let position = answers[0].position.unwrap();
        let since = ChannelPosition {
            epoch: position.epoch ^ epoch,
            ..position
        };
        let channels = vec![SubscribeChannel {
            channel: "room:1".to_owned(),
            since: Some(since),
            ..SubscribeChannel::default()
        }];
        client.subscribe(SubscribeRequest { channels }).await.unwrap();
        let series = format!("rpc_hub_recoveries_total namespace=room:{{id}} outcome={outcome}");
        assert_eq!(recorded.value(&series), 1.0, "{outcome}");
    }
    let channels = vec!["room:1".to_owned()];
    client.unsubscribe(UnsubscribeRequest { channels }).await.unwrap();
    assert_eq!(recorded.value("rpc_hub_subscriptions namespace=room:{id}"), 2.0);
    server.stop().await;
    assert_eq!(recorded.value("rpc_hub_subscriptions namespace=room:{id}"), 0.0);
    assert_eq!(recorded.value("rpc_hub_queued_bytes"), 0.0);
    let series = recorded.series();
    assert!(
        !series
            .iter()
            .any(|series| series.contains("room:1") || series.contains("room:9")),
        "{series:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_to_a_client_that_takes_nothing_is_counted_as_dropped() {
    let recorded = Recorded::new();
    let hub = Hub::default();
    let server = serve(&hub, 70_000);
    let client = HubClient::new(server.client());
    client
        .unsubscribe(UnsubscribeRequest {
            channels: vec!["nothing".to_owned()],
        })
        .await
        .unwrap();
    let long = Notification::info("x".repeat(60_000), "");
    // At once: the connection has no turn in between. The second finds no room, and the client is closed for that.
    for expected in [Some(1), Some(0), Some(0)] {
        assert_eq!(hub.all().publish(&long).await.unwrap().reached, expected);
    }
    assert_eq!(recorded.value("rpc_hub_delivered_total namespace=(direct)"), 1.0);
    assert_eq!(recorded.value("rpc_hub_dropped_total namespace=(direct)"), 1.0);
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_wait_for_a_client_that_does_not_read_are_counted_until_it_is_gone() {
    let recorded = Recorded::new();
    let hub = Hub::default();
    let server = Server::builder().hub(hub.clone()).metrics().build().unwrap();
    let (near, far) = tokio::io::duplex(4_096);
    let request = http::Request::get("/rpc").body(()).unwrap();
    let serving = tokio::spawn(server.serve_connection(far, ConnectInfo::from_request(&request)));
    let pause = || tokio::time::sleep(std::time::Duration::from_secs(1));
    pause().await;
    let long = Notification::info("x".repeat(20_000), "");
    for _ in 0..10 {
        assert_eq!(hub.all().publish(&long).await.unwrap().reached, Some(1));
    }
    pause().await;
    // Beside what the connection has taken ahead.
    let waiting = recorded.value("rpc_hub_queued_bytes");
    let unflushed = recorded.value("rpc_server_unflushed_bytes");
    assert!(waiting >= 100_000.0, "{waiting}");
    assert!(waiting + unflushed >= 190_000.0, "{waiting} and {unflushed}");
    drop(near);
    serving.await.unwrap();
    assert_eq!(recorded.value("rpc_hub_queued_bytes"), 0.0);
    assert_eq!(recorded.value("rpc_server_unflushed_bytes"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_for_a_client_that_does_not_read_is_counted_by_namespaces() {
    let recorded = Recorded::new();
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .slow(SlowConsumer::DropOldest);
    let hub = Hub::builder().namespace(rooms).build().unwrap();
    let server = serve(&hub, 128 << 10);
    let client = HubClient::new(server.client());
    let channels = vec![SubscribeChannel {
        channel: "room:1".to_owned(),
        ..SubscribeChannel::default()
    }];
    client.subscribe(SubscribeRequest { channels }).await.unwrap();
    let event = Notification::info("x".repeat(1_024), "");
    let dropped = "rpc_hub_dropped_total namespace=room:{id}";
    // Publishing waits for nobody: nothing is read in between.
    for _ in 0..300 {
        hub.channel("room:1").publish(&event).await.unwrap();
    }
    let first = recorded.value(dropped);
    assert!((100.0..300.0).contains(&first), "{first}");
    hub.channel("room:1").publish(&event).await.unwrap();
    assert_eq!(recorded.value(dropped), first + 1.0);
}
