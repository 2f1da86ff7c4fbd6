//! The dashboard, in one process and without sockets.

use rpc_runtime::hub::client::{ReceivedKind, Subscription, SubscriptionError};
use rpc_runtime::testing::{self, TestServer};

use super::*;

fn client(server: &TestServer, badge: &'static str) -> Client {
    let client = server.builder().credential(Credential::bearer(badge));
    client.lazy().unwrap()
}

async fn next(events: &mut Subscription<DashboardEvent>) -> DashboardEvent {
    events.next().await.unwrap().unwrap().event
}

fn changed(name: &str, value: i64) -> DashboardEvent {
    let name = name.to_owned();
    DashboardEvent::Changed(GaugeChanged { name, value })
}

fn all(values: &[(&str, i64)]) -> DashboardEvent {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value));
    DashboardEvent::All(AllGauges {
        values: values.collect(),
    })
}

#[tokio::test(start_paused = true)]
async fn an_operator_sees_how_everything_is_and_then_what_changes() {
    let gauges = Gauges::default();
    let server = server(gauges.clone()).unwrap();
    let hub = server.hub();
    let server = testing::serve(server);
    gauges.set(&hub, "queue", 3).await.unwrap();
    gauges.set(&hub, "workers", 8).await.unwrap();

    let ann = client(&server, "badge of ann");
    let mut events = ann.hub().subscribe("dashboard").await.unwrap();
    gauges.set(&hub, "queue", 5).await.unwrap();
    gauges.set(&hub, "queue", 5).await.unwrap();
    gauges.set(&hub, "workers", 9).await.unwrap();
    assert_eq!(next(&mut events).await, all(&[("queue", 3), ("workers", 8)]));
    assert_eq!(next(&mut events).await, changed("queue", 5));
    assert_eq!(
        next(&mut events).await,
        changed("workers", 9),
        "what stays the same is not told"
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_no_operator_learns_not_even_that_there_is_a_dashboard() {
    let server = testing::serve(server(Gauges::default()).unwrap());
    let bob = client(&server, "badge of bob").hub();
    let refused = bob.subscribe::<DashboardEvent>("dashboard").await.unwrap_err();
    let unknown = bob
        .subscribe::<DashboardEvent>("no-such-board")
        .await
        .unwrap_err();
    assert_eq!(refused.to_string(), unknown.to_string());
    assert!(refused.to_string().starts_with("PERMISSION_DENIED"), "{refused}");
}

/// However the subscription falls between the changes, what the snapshot has and what follows it add up to all of them.
#[tokio::test(start_paused = true)]
async fn no_change_is_missed_or_comes_twice_while_others_are_made() {
    let gauges = Gauges::default();
    let server = server(gauges.clone()).unwrap();
    let hub = server.hub();
    let server = testing::serve(server);
    let changing = tokio::spawn({
        let hub = hub.clone();
        async move {
            for value in 1..=200 {
                gauges.set(&hub, "count", value).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let ann = client(&server, "badge of ann");
    let mut events = ann.hub().subscribe("dashboard").await.unwrap();
    let DashboardEvent::All(first) = next(&mut events).await else {
        panic!("the first is all gauges");
    };
    let seen = first.values.get("count").copied().unwrap_or_default();
    for value in seen + 1..=200 {
        assert_eq!(next(&mut events).await, changed("count", value));
    }
    changing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_connection_the_changes_of_the_meantime_follow_and_no_second_snapshot() {
    let gauges = Gauges::default();
    let server = server(gauges.clone()).unwrap();
    let hub = server.hub();
    let server = testing::serve(server);
    gauges.set(&hub, "queue", 1).await.unwrap();
    let ann = client(&server, "badge of ann");
    let mut events = ann.hub().subscribe("dashboard").await.unwrap();
    assert_eq!(next(&mut events).await, all(&[("queue", 1)]));
    gauges.set(&hub, "queue", 2).await.unwrap();
    assert_eq!(next(&mut events).await, changed("queue", 2));
    server.disconnect_all().await;
    gauges.set(&hub, "queue", 3).await.unwrap();
    let received = events.next().await.unwrap().unwrap();
    assert_eq!(
        (received.event, received.kind),
        (changed("queue", 3), ReceivedKind::Recovered)
    );
}

#[tokio::test(start_paused = true)]
async fn after_too_long_a_time_there_is_a_gap_and_everything_anew() {
    let gauges = Gauges::default();
    let server = server(gauges.clone()).unwrap();
    let hub = server.hub();
    let server = testing::serve(server);
    let ann = client(&server, "badge of ann");
    let mut events = ann.hub().subscribe("dashboard").await.unwrap();
    assert_eq!(next(&mut events).await, all(&[]));
    server.disconnect_all().await;
    // More than is kept.
    for value in 1..=1_001 {
        gauges.set(&hub, "count", value).await.unwrap();
    }
    let gap = events.next().await.unwrap().unwrap_err();
    assert!(matches!(gap, SubscriptionError::Gap(_)), "{gap}");
    assert_eq!(next(&mut events).await, all(&[("count", 1_001)]));
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_snapshot_has_does_not_follow_it() {
    let gauges = Gauges::default();
    let server = server(gauges.clone()).unwrap();
    let hub = server.hub();
    let server = testing::serve(server);
    gauges.set(&hub, "queue", 1).await.unwrap();
    // The subscription is asked for, and waits for its snapshot, while a change is made.
    let mut measured = gauges.0.lock().await;
    let ann = client(&server, "badge of ann").hub();
    let subscribing = tokio::spawn(async move { ann.subscribe("dashboard").await });
    // The clock goes on when everything waits.
    tokio::time::sleep(Duration::from_millis(1)).await;
    measured.values.insert("queue".to_owned(), 2);
    let change = GaugeChanged {
        name: "queue".to_owned(),
        value: 2,
    };
    let receipt = hub.channel("dashboard").publish(&change).await.unwrap();
    measured.position = receipt.position;
    drop(measured);
    let mut events = subscribing.await.unwrap().unwrap();
    assert_eq!(next(&mut events).await, all(&[("queue", 2)]));
    gauges.set(&hub, "queue", 3).await.unwrap();
    assert_eq!(next(&mut events).await, changed("queue", 3));
}
