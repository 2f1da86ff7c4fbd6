//! What is kept: so many events, so many bytes, for so long.

use std::time::Duration;

use rpc_runtime::hub::{Broker, Retention};

use crate::cluster::{Cluster, body, channel, text};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    no_more_events_are_kept_than_may(cluster).await;
    no_more_bytes_are_kept_than_may(cluster).await;
    nothing_is_kept_for_longer_than_it_may(cluster).await;
}

/// The latest are.
pub async fn no_more_events_are_kept_than_may<B: Broker>(cluster: &Cluster<B>) {
    let keep = Retention { events: 3, ..KEEP };
    let (node, name) = (cluster.first(), channel("events"));
    for number in 0..10 {
        node.publish(&name, &keep, text(&number.to_string())).await;
    }
    let history = node.all(&name, &keep).await;
    let kept: Vec<_> = history.events.iter().map(|event| body(event)).collect();
    assert_eq!(
        kept,
        ["7", "8", "9"],
        "the latest events are kept, and no more than may be"
    );
    assert_eq!(history.position.offset, 10, "what is kept no more still counts");
}

/// The latest that fit are, and none where not even that one does.
pub async fn no_more_bytes_are_kept_than_may<B: Broker>(cluster: &Cluster<B>) {
    let keep = Retention { bytes: 25, ..KEEP };
    let (node, name) = (cluster.first(), channel("bytes"));
    for number in 0..5 {
        node.publish(&name, &keep, text(&format!("ten bytes{number}")))
            .await;
    }
    let kept: Vec<_> = node
        .all(&name, &keep)
        .await
        .events
        .iter()
        .map(|event| body(event))
        .collect();
    assert_eq!(kept, ["ten bytes3", "ten bytes4"]);
    let long = node.publish(&name, &keep, text(&"x".repeat(26))).await;
    assert_eq!(
        long.position.map(|position| position.offset),
        Some(6),
        "it has a position all the same"
    );
    assert!(node.all(&name, &keep).await.events.is_empty());
}

/// While the node has subscribed, so that the channel itself goes on.
pub async fn nothing_is_kept_for_longer_than_it_may<B: Broker>(cluster: &Cluster<B>) {
    let keep = Retention {
        time: Duration::from_secs(3),
        ..KEEP
    };
    let (node, name) = (cluster.first(), channel("time"));
    let first = node.subscribe(&name, &keep).await;
    node.publish(&name, &keep, text("early")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    node.publish(&name, &keep, text("late")).await;
    assert_eq!(node.all(&name, &keep).await.events.len(), 2);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let kept: Vec<_> = node
        .all(&name, &keep)
        .await
        .events
        .iter()
        .map(|event| body(event))
        .collect();
    assert_eq!(kept, ["late"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let history = node.all(&name, &keep).await;
    assert!(history.events.is_empty());
    assert_eq!(
        (history.position.epoch, history.position.offset),
        (first.epoch, 2),
        "offsets go on"
    );
}
