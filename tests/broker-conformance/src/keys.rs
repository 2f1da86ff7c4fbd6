//! Events that are published under a key are stored once.

use std::time::Duration;

use rpc_runtime::hub::{Broker, Retention};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, body, channel, keyed, text, works};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    an_event_with_a_key_that_history_has_is_not_published_again(cluster).await;
    of_those_who_publish_a_key_at_once_one_does(cluster).await;
    a_key_is_its_channels_and_lasts_as_long_as_its_event(cluster).await;
}

/// The receipt is that of the first.
pub async fn an_event_with_a_key_that_history_has_is_not_published_again<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("key");
    for node in &cluster.nodes {
        node.subscribe(&name, &KEEP).await;
    }
    cluster.first().publish(&name, &KEEP, text("before")).await;
    let first = cluster.first().publish(&name, &KEEP, keyed("first", "key")).await;
    assert!(!first.duplicate);
    for node in &cluster.nodes {
        let again = node.publish(&name, &KEEP, keyed("again", "key")).await;
        assert!(
            again.duplicate,
            "an event with a key that history still remembers is not published again"
        );
        assert_eq!(
            (again.position, again.id),
            (first.position, first.id.clone()),
            "the receipt is that of the first"
        );
    }
    cluster.first().publish(&name, &KEEP, text("last")).await;
    for node in &cluster.nodes {
        let events = node.given.until(&name, "last").await;
        let texts: Vec<_> = events.iter().map(|event| body(event)).collect();
        assert_eq!(texts, ["before", "first"], "and nothing is delivered again");
    }
}

/// On all nodes.
pub async fn of_those_who_publish_a_key_at_once_one_does<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("key");
    let mut publishers = JoinSet::new();
    for node in cluster.nodes.iter().cycle().take(16) {
        let (broker, name) = (node.broker.clone(), name.clone());
        publishers.spawn(async move { works(broker.publish(&name, &KEEP, keyed("one", "key"))).await });
    }
    let receipts = publishers.join_all().await;
    let new = receipts.iter().filter(|receipt| !receipt.duplicate).count();
    assert_eq!(new, 1, "one of them has published it");
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.position == receipts[0].position)
    );
    assert_eq!(cluster.first().all(&name, &KEEP).await.events.len(), 1);
}

/// Not longer, and nowhere else.
pub async fn a_key_is_its_channels_and_lasts_as_long_as_its_event<B: Broker>(cluster: &Cluster<B>) {
    let keep = Retention { events: 2, ..KEEP };
    let (node, name, other) = (cluster.first(), channel("key"), channel("key"));
    node.publish(&name, &keep, keyed("one", "key")).await;
    assert!(!node.publish(&other, &keep, keyed("one", "key")).await.duplicate);
    node.publish(&name, &keep, text("two")).await;
    assert!(node.publish(&name, &keep, keyed("one", "key")).await.duplicate);
    node.publish(&name, &keep, text("three")).await;
    let again = node.publish(&name, &keep, keyed("four", "key")).await;
    assert!(!again.duplicate, "its event is not in history any more");
    assert_eq!(again.position.map(|position| position.offset), Some(4));
    assert!(node.publish(&name, &keep, keyed("one", "key")).await.duplicate);
}
