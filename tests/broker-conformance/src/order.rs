//! Order, and from where on a node is given what is published.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};
use rpc_runtime::hub::{Broker, Retention};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, assert_without_gaps, body, channel, text, works};

const KEEP: Retention = Retention::of(10_000, Duration::from_secs(600));

/// So many publish at a time, on each node, so many events.
const PUBLISHERS: usize = 8;
const EVENTS: usize = 100;

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    every_node_is_given_all_events_in_one_order_of_offsets_without_gaps(cluster).await;
    without_history_each_publishers_events_come_in_their_order_and_have_no_position(cluster).await;
    calls_that_run_at_once_are_ordered_by_when_they_were_first_polled(cluster).await;
    every_event_after_the_position_that_subscribing_gives_is_delivered(cluster).await;
    whoever_subscribes_again_goes_on_in_the_same_epoch(cluster).await;
    an_event_arrives_as_it_was_published(cluster).await;
}

async fn publish_all<B: Broker>(cluster: &Cluster<B>, name: &rpc_runtime::hub::ChannelName, keep: Retention) {
    let mut publishers = JoinSet::new();
    for (node, under_test) in cluster.nodes.iter().enumerate() {
        for publisher in 0..PUBLISHERS {
            let (broker, name) = (under_test.broker.clone(), name.clone());
            publishers.spawn(async move {
                let mut before = None;
                for number in 0..EVENTS {
                    let event = text(&format!("{node}.{publisher} {number}"));
                    let receipt = works(broker.publish(&name, &keep, event)).await;
                    let offset = receipt.position.map(|position| position.offset);
                    assert_eq!(
                        offset.is_some(),
                        keep.events > 0,
                        "what is kept has a position, and nothing else"
                    );
                    assert!(
                        offset.is_none() || offset > before,
                        "what one publishes has rising offsets"
                    );
                    before = offset;
                }
            });
        }
    }
    while let Some(done) = publishers.join_next().await {
        assert!(done.is_ok(), "a publisher failed: {done:?}");
    }
}

/// Checks that what each publisher has published is all there, in its order.
fn assert_in_order_of_each(texts: &[String], nodes: usize) {
    assert_eq!(
        texts.len(),
        nodes * PUBLISHERS * EVENTS,
        "everything is delivered once"
    );
    for node in 0..nodes {
        for publisher in 0..PUBLISHERS {
            let of_one = texts.iter().filter_map(|text| {
                let number = text.strip_prefix(&format!("{node}.{publisher} "))?;
                number.parse::<usize>().ok()
            });
            assert!(
                of_one.eq(0..EVENTS),
                "what one publisher publishes arrives in that order"
            );
        }
    }
}

/// Several publishers at once, on all nodes.
pub async fn every_node_is_given_all_events_in_one_order_of_offsets_without_gaps<B: Broker>(
    cluster: &Cluster<B>,
) {
    let name = channel("order");
    let mut position = None;
    for node in &cluster.nodes {
        let subscribed = node.subscribe(&name, &KEEP).await;
        assert_eq!(subscribed.offset, 0, "offsets count from 1");
        assert_eq!(
            *position.get_or_insert(subscribed),
            subscribed,
            "an epoch is every node's"
        );
    }
    let Some(position) = position else { return };
    publish_all(cluster, &name, KEEP).await;
    let last = cluster.first().publish(&name, &KEEP, text("last")).await;
    let count = (cluster.nodes.len() * PUBLISHERS * EVENTS) as u64;
    assert_eq!(last.position.map(|position| position.offset), Some(count + 1));
    let mut first = None;
    for node in &cluster.nodes {
        let events = node.given.until(&name, "last").await;
        assert_without_gaps(&events, position);
        let texts: Vec<_> = events.iter().map(|event| body(event)).collect();
        assert_in_order_of_each(&texts, cluster.nodes.len());
        assert_eq!(
            *first.get_or_insert(texts.clone()),
            texts,
            "every node is given one order"
        );
    }
}

/// `Retention::NONE`.
pub async fn without_history_each_publishers_events_come_in_their_order_and_have_no_position<B: Broker>(
    cluster: &Cluster<B>,
) {
    let name = channel("passing");
    for node in &cluster.nodes {
        let position = node.subscribe(&name, &Retention::NONE).await;
        assert_eq!(
            (position.epoch, position.offset),
            (0, 0),
            "there are no positions"
        );
    }
    publish_all(cluster, &name, Retention::NONE).await;
    for node in &cluster.nodes {
        let events = node.delivered(&name, &Retention::NONE).await;
        assert!(
            events.iter().all(|event| event.position.offset == 0),
            "offsets are 0"
        );
        let texts: Vec<_> = events.iter().map(|event| body(event)).collect();
        // The last of each node are told apart by what they say.
        let texts: Vec<_> = texts
            .into_iter()
            .filter(|text| !text.starts_with("last"))
            .collect();
        assert_in_order_of_each(&texts, cluster.nodes.len());
    }
    let history = cluster.first().all(&name, &Retention::NONE).await;
    assert!(history.events.is_empty(), "nothing is kept");
}

/// Whatever each of them waits for then, and whichever is made, or asked again, first.
pub async fn calls_that_run_at_once_are_ordered_by_when_they_were_first_polled<B: Broker>(
    cluster: &Cluster<B>,
) {
    for (name, keep) in [("at-once", KEEP), ("at-once-passing", Retention::NONE)] {
        let name = channel(name);
        let node = cluster.first();
        node.subscribe(&name, &keep).await;
        let mut calls: Vec<_> = (0..EVENTS)
            .map(|number| {
                Some(Box::pin(node.broker.publish(
                    &name,
                    &keep,
                    text(&number.to_string()),
                )))
            })
            .collect();
        // The last one that was made is polled first; what is left after that goes on in another order again.
        for call in calls.iter_mut().rev() {
            let polled = call.as_mut().and_then(|call| call.as_mut().now_or_never());
            if let Some(done) = polled {
                assert!(done.is_ok(), "it is published: {done:?}");
                *call = None;
            }
        }
        for done in join_all(calls.into_iter().flatten()).await {
            assert!(done.is_ok(), "it is published: {done:?}");
        }
        let texts: Vec<_> = node
            .delivered(&name, &keep)
            .await
            .iter()
            .map(|event| body(event))
            .collect();
        let expected: Vec<_> = (0..EVENTS).rev().map(|number| number.to_string()).collect();
        assert_eq!(texts, expected, "what was polled first is there first");
    }
}

/// While others publish.
pub async fn every_event_after_the_position_that_subscribing_gives_is_delivered<B: Broker>(
    cluster: &Cluster<B>,
) {
    let name = channel("subscribing");
    let publisher = {
        let (broker, name) = (cluster.first().broker.clone(), name.clone());
        tokio::spawn(async move {
            for number in 0..EVENTS {
                works(broker.publish(&name, &KEEP, text(&number.to_string()))).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let mut positions = Vec::new();
    for node in &cluster.nodes {
        tokio::task::yield_now().await;
        positions.push(node.subscribe(&name, &KEEP).await);
    }
    assert!(publisher.await.is_ok());
    for (node, position) in cluster.nodes.iter().zip(positions) {
        let events = node.delivered(&name, &KEEP).await;
        let after: Vec<_> = events
            .into_iter()
            .filter(|event| event.position.offset > position.offset)
            .collect();
        assert!(
            after.len() as u64 + position.offset >= EVENTS as u64,
            "every event after it is delivered"
        );
        assert_without_gaps(&after, position);
    }
}

/// Also after having unsubscribed.
pub async fn whoever_subscribes_again_goes_on_in_the_same_epoch<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("again");
    let node = cluster.first();
    let first = node.subscribe(&name, &KEEP).await;
    node.publish(&name, &KEEP, text("one")).await;
    let again = node.subscribe(&name, &KEEP).await;
    assert_eq!(
        (again.epoch, again.offset),
        (first.epoch, 1),
        "subscribing again gives the position of then"
    );
    node.publish(&name, &KEEP, text("two")).await;
    works(node.broker.unsubscribe(&name)).await;
    works(node.broker.unsubscribe(&name)).await;
    node.publish(&name, &KEEP, text("three")).await;
    let third = node.subscribe(&name, &KEEP).await;
    assert_eq!(
        (third.epoch, third.offset),
        (first.epoch, 3),
        "what was published without it counts"
    );
    node.publish(&name, &KEEP, text("four")).await;
    let mut texts: Vec<_> = node
        .delivered(&name, &KEEP)
        .await
        .iter()
        .map(|event| body(event))
        .collect();
    // It may be given what it has not subscribed to.
    texts.retain(|text| text != "three");
    assert_eq!(texts, ["one", "two", "four"], "each event is delivered once");
}

/// With all that belongs to it.
pub async fn an_event_arrives_as_it_was_published<B: Broker>(cluster: &Cluster<B>) {
    use crate::cluster::client;
    let name = channel("whole");
    let mut event = crate::cluster::keyed("all of it", "the:key");
    event.type_name = "chat.Said".into();
    event.id = Some("the.id".into());
    event.time += Duration::from_micros(123_456);
    event.except = [client(5), client(6)].into();
    event.publisher = Some(rpc_runtime::hub::Publisher {
        client: client(7),
        user: Some("ali".into()),
    });
    for node in &cluster.nodes {
        node.subscribe(&name, &KEEP).await;
    }
    let receipt = cluster.first().publish(&name, &KEEP, event.clone()).await;
    assert_eq!(
        &*receipt.id, "the.id",
        "an event's id is the one that it was given"
    );
    let plain = cluster.first().publish(&name, &KEEP, text("plain")).await;
    let position = plain
        .position
        .unwrap_or_else(|| panic!("what is kept has a position"));
    assert_eq!(
        *plain.id,
        format!("{:016x}-2", position.epoch),
        "or made of its position"
    );
    cluster.first().publish(&name, &KEEP, text("last")).await;
    for node in &cluster.nodes {
        let given = node.given.until(&name, "last").await;
        let kept = node.all(&name, &KEEP).await.events;
        for arrived in [&given[0], &kept[0]] {
            let arrived = &arrived.publication;
            assert_eq!(arrived.type_name, event.type_name);
            assert_eq!(arrived.body, event.body);
            assert_eq!(arrived.key, event.key);
            assert_eq!(arrived.time, event.time);
            assert_eq!(arrived.publisher, event.publisher);
            assert_eq!(arrived.except, event.except);
        }
    }
}
