//! What goes for several nodes alone. Most of the contract is the same for one and for many, and tested with as many as there are.

use std::time::Duration;

use rpc_runtime::hub::{Broker, Retention};

use crate::cluster::{Cluster, assert_without_gaps, body, channel, text, works};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// Everything in this module. The cluster has at least two nodes.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    a_node_that_unsubscribes_takes_nothing_from_another(cluster).await;
}

/// Nor does one that comes later.
pub async fn a_node_that_unsubscribes_takes_nothing_from_another<B: Broker>(cluster: &Cluster<B>) {
    let [stays, leaves, ..] = cluster.nodes.as_slice() else {
        panic!("there are two nodes");
    };
    let name = channel("nodes");
    let position = stays.subscribe(&name, &KEEP).await;
    leaves.subscribe(&name, &KEEP).await;
    leaves.publish(&name, &KEEP, text("one")).await;
    works(leaves.broker.unsubscribe(&name)).await;
    leaves.publish(&name, &KEEP, text("two")).await;
    leaves.subscribe(&name, &KEEP).await;
    leaves.publish(&name, &KEEP, text("three")).await;
    stays.publish(&name, &KEEP, text("last")).await;
    let events = stays.given.until(&name, "last").await;
    assert_without_gaps(&events, position);
    assert_eq!(events.len(), 3);
    let texts: Vec<_> = leaves
        .given
        .until(&name, "last")
        .await
        .iter()
        .map(|event| body(event))
        .collect();
    let subscribed: Vec<_> = texts.iter().filter(|text| *text != "two").collect();
    assert_eq!(subscribed, ["one", "three"]);
}
