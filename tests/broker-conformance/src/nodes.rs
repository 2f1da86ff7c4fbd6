//! What goes for several nodes alone. Most of the contract is the same for one and for many, and tested with as many as there are.

use std::time::Duration;

use rpc_runtime::hub::{Broker, Retention, broker::MEMBER_TIME};

use crate::{
    cluster::{Cluster, assert_without_gaps, body, channel, text, works},
    presence::{join, leave, member, members},
};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// So much longer than [`MEMBER_TIME`] is waited until the members of a node are gone with it.
const SLACK: Duration = Duration::from_secs(5);

/// Everything in this module. The cluster has at least two nodes.
pub async fn all<B: Broker>(cluster: Cluster<B>) {
    a_node_that_unsubscribes_takes_nothing_from_another(&cluster).await;
    the_members_of_a_node_that_is_gone_are_gone_after_a_time(cluster).await;
}

/// The others stay.
pub async fn the_members_of_a_node_that_is_gone_are_gone_after_a_time<B: Broker>(mut cluster: Cluster<B>) {
    let name = channel("gone");
    let goes = cluster.nodes.pop().filter(|_| !cluster.nodes.is_empty());
    let Some(goes) = goes else {
        panic!("there are two nodes");
    };
    assert_eq!(join(&goes, &name, member(1, Some("ann"))).await, (true, true));
    assert_eq!(
        join(cluster.first(), &name, member(2, Some("ann"))).await,
        (true, false)
    );
    assert_eq!(
        members(&cluster, &name).await.len(),
        2,
        "both are there while both nodes are"
    );
    drop(goes);
    tokio::time::sleep(MEMBER_TIME + SLACK).await;
    assert_eq!(
        members(&cluster, &name).await,
        [member(2, Some("ann"))],
        "a member is there until its node is gone for longer than MEMBER_TIME"
    );
    assert_eq!(leave(cluster.first(), &name, 2).await, (true, true));
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
