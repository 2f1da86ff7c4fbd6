//! Events that are published under a key are stored once.

use std::time::Duration;

use rpc_runtime::hub::{
    Broker, Retention,
    broker::{BrokerError, Origin, Publication},
};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, body, call, channel, client, keyed, text, works};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    an_event_with_a_key_that_history_has_is_not_published_again(cluster).await;
    of_those_who_publish_a_key_at_once_one_does(cluster).await;
    a_key_is_its_channels_and_lasts_as_long_as_its_event(cluster).await;
    a_key_is_its_origins_own(cluster).await;
    another_event_with_the_same_key_is_refused(cluster).await;
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
        let again = node.publish(&name, &KEEP, keyed("first", "key")).await;
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
    assert!(node.publish(&name, &keep, keyed("four", "key")).await.duplicate);
}

/// Nobody uses up, or is answered for, what is another's: not even where the events are the same.
pub async fn a_key_is_its_origins_own<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("key");
    let origins = [
        Origin::Server,
        Origin::User("ali".into()),
        Origin::User("bea".into()),
        // Whose ids are the same text.
        Origin::User(client(1).to_string().into()),
        Origin::Client(client(1)),
        Origin::Client(client(2)),
    ];
    let of = |origin: &Origin, text: &str| Publication {
        origin: origin.clone(),
        ..keyed(text, "key")
    };
    let mut offsets = Vec::new();
    for (node, origin) in cluster.nodes.iter().cycle().zip(&origins) {
        let receipt = node.publish(&name, &KEEP, of(origin, "same")).await;
        assert!(!receipt.duplicate, "a key is its origin's own: {origin:?}");
        offsets.push(receipt.position);
    }
    for (node, (origin, position)) in cluster.nodes.iter().cycle().zip(origins.iter().zip(offsets)) {
        let receipt = node.publish(&name, &KEEP, of(origin, "same")).await;
        assert_eq!(
            (receipt.duplicate, receipt.position),
            (true, position),
            "and the receipt is that of its own first: {origin:?}"
        );
    }
    assert_eq!(
        cluster.first().all(&name, &KEEP).await.events.len(),
        origins.len()
    );
}

/// And leaves the first, and its key, as they are.
pub async fn another_event_with_the_same_key_is_refused<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("key");
    cluster.first().publish(&name, &KEEP, keyed("first", "key")).await;
    let of_another_type = Publication {
        type_name: "conformance.Other".into(),
        ..keyed("first", "key")
    };
    for node in &cluster.nodes {
        for other in [keyed("second", "key"), of_another_type.clone()] {
            let refused = call(node.broker.publish(&name, &KEEP, other)).await;
            assert!(
                matches!(refused, Err(BrokerError::OtherEvent)),
                "another event with the same key is refused: {refused:?}"
            );
        }
        let again = node.publish(&name, &KEEP, keyed("first", "key")).await;
        assert!(again.duplicate);
    }
    assert_eq!(
        cluster.first().all(&name, &KEEP).await.events.len(),
        1,
        "and not stored"
    );
}
