//! Who is in a channel.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rpc_runtime::hub::{Broker, ChannelName, Member};

use crate::cluster::{Cluster, NodeUnderTest, channel, client, works};

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    each_change_says_whether_it_was_the_first_or_last_client_of_its_user(cluster).await;
    a_member_that_joins_again_is_replaced(cluster).await;
    anonymous_clients_are_each_somebody(cluster).await;
    members_of_other_channels_are_not_in_it(cluster).await;
}

fn member(number: u128, user: Option<&str>) -> Member {
    Member {
        client: client(number),
        user: user.map(Into::into),
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        data: None,
    }
}

async fn join<B: Broker>(node: &NodeUnderTest<B>, name: &ChannelName, member: Member) -> (bool, bool) {
    let change = works(node.broker.join(name, member)).await;
    (change.changed, change.of_user)
}

async fn leave<B: Broker>(node: &NodeUnderTest<B>, name: &ChannelName, number: u128) -> (bool, bool) {
    let change = works(node.broker.leave(name, client(number))).await;
    (change.changed, change.of_user)
}

/// Who is there, as every node says.
async fn members<B: Broker>(cluster: &Cluster<B>, name: &ChannelName) -> Vec<Member> {
    let mut first: Option<Vec<Member>> = None;
    for node in &cluster.nodes {
        let mut members = works(node.broker.members(name)).await;
        members.sort_by_key(|member| member.client);
        assert_eq!(
            *first.get_or_insert(members.clone()),
            members,
            "every node says the same"
        );
    }
    first.unwrap_or_default()
}

/// Over several clients of two users, on all nodes in turn.
pub async fn each_change_says_whether_it_was_the_first_or_last_client_of_its_user<B: Broker>(
    cluster: &Cluster<B>,
) {
    let name = channel("presence");
    let mut nodes = cluster.nodes.iter().cycle();
    let mut node = || nodes.next().unwrap_or_else(|| cluster.first());
    assert!(members(cluster, &name).await.is_empty());
    assert_eq!(
        join(node(), &name, member(1, Some("ali"))).await,
        (true, true),
        "ali comes"
    );
    assert_eq!(
        join(node(), &name, member(2, Some("ali"))).await,
        (true, false),
        "in another tab"
    );
    assert_eq!(
        join(node(), &name, member(3, Some("bea"))).await,
        (true, true),
        "bea comes"
    );
    let all = [
        member(1, Some("ali")),
        member(2, Some("ali")),
        member(3, Some("bea")),
    ];
    assert_eq!(members(cluster, &name).await, all);
    assert_eq!(
        leave(node(), &name, 1).await,
        (true, false),
        "ali is there by another tab"
    );
    assert_eq!(
        leave(node(), &name, 1).await,
        (false, false),
        "who is not there does not leave"
    );
    assert_eq!(leave(node(), &name, 3).await, (true, true), "bea goes");
    assert_eq!(leave(node(), &name, 2).await, (true, true), "ali goes");
    assert!(members(cluster, &name).await.is_empty());
    assert_eq!(
        join(node(), &name, member(1, Some("ali"))).await,
        (true, true),
        "and comes back"
    );
}

/// What it says of itself, and who it is.
pub async fn a_member_that_joins_again_is_replaced<B: Broker>(cluster: &Cluster<B>) {
    let (node, name) = (cluster.first(), channel("presence"));
    join(node, &name, member(1, Some("ali"))).await;
    join(node, &name, member(2, Some("ali"))).await;
    let mut changed = member(1, Some("ali"));
    changed.data = Some(("chat.Mood".into(), Bytes::from_static(b"good")));
    assert_eq!(
        join(node, &name, changed.clone()).await,
        (false, false),
        "the client is there already"
    );
    assert_eq!(members(cluster, &name).await, [changed, member(2, Some("ali"))]);
    // It signs in as somebody else.
    assert_eq!(join(node, &name, member(1, Some("bea"))).await, (true, true));
    assert_eq!(
        leave(node, &name, 2).await,
        (true, true),
        "it counts as ali no more"
    );
    assert_eq!(leave(node, &name, 1).await, (true, true));
}

/// There is no user that they could share.
pub async fn anonymous_clients_are_each_somebody<B: Broker>(cluster: &Cluster<B>) {
    let (node, name) = (cluster.first(), channel("presence"));
    for number in 1..=3 {
        assert_eq!(join(node, &name, member(number, None)).await, (true, true));
    }
    assert_eq!(members(cluster, &name).await.len(), 3);
    for number in 1..=3 {
        assert_eq!(leave(node, &name, number).await, (true, true));
    }
}

/// Though they have the same clients.
pub async fn members_of_other_channels_are_not_in_it<B: Broker>(cluster: &Cluster<B>) {
    let (node, name, other) = (cluster.first(), channel("presence"), channel("presence"));
    join(node, &name, member(1, Some("ali"))).await;
    assert!(members(cluster, &other).await.is_empty());
    assert_eq!(join(node, &other, member(2, Some("ali"))).await, (true, true));
    assert_eq!(leave(node, &name, 2).await, (false, false));
    assert_eq!(leave(node, &name, 1).await, (true, true));
    assert_eq!(members(cluster, &other).await, [member(2, Some("ali"))]);
}
