//! Who is in a channel.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rpc_runtime::hub::{
    Broker, ChannelName, Member,
    broker::{Members, MembersQuery},
};

use crate::cluster::{Cluster, NodeUnderTest, channel, client, works};

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    each_change_says_whether_it_was_the_first_or_last_client_of_its_user(cluster).await;
    a_member_that_joins_again_is_replaced(cluster).await;
    anonymous_clients_are_each_somebody(cluster).await;
    members_of_other_channels_are_not_in_it(cluster).await;
    members_are_read_in_pages_by_their_ids_and_counted_in_all(cluster).await;
}

pub(crate) fn member(number: u128, user: Option<&str>) -> Member {
    Member {
        client: client(number),
        user: user.map(Into::into),
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        data: None,
    }
}

pub(crate) async fn join<B: Broker>(
    node: &NodeUnderTest<B>,
    name: &ChannelName,
    member: Member,
) -> (bool, bool) {
    let change = works(node.broker.join(name, member)).await;
    (change.changed, change.of_user)
}

pub(crate) async fn leave<B: Broker>(
    node: &NodeUnderTest<B>,
    name: &ChannelName,
    number: u128,
) -> (bool, bool) {
    let change = works(node.broker.leave(name, client(number))).await;
    (change.changed, change.of_user)
}

/// Who is there, as every node says.
pub(crate) async fn members<B: Broker>(cluster: &Cluster<B>, name: &ChannelName) -> Vec<Member> {
    let mut first: Option<Vec<Member>> = None;
    for node in &cluster.nodes {
        let all = MembersQuery {
            after: None,
            limit: usize::MAX,
        };
        let Members {
            members,
            more,
            clients,
            ..
        } = works(node.broker.members(name, &all)).await;
        assert_eq!((more, clients), (false, members.len()), "that is all of them");
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

/// Each once, though others come and go between the pages.
pub async fn members_are_read_in_pages_by_their_ids_and_counted_in_all<B: Broker>(cluster: &Cluster<B>) {
    let (node, name) = (cluster.first(), channel("presence"));
    for number in [9, 3, 7, 1, 5] {
        let user = (number < 6).then_some("ali");
        join(node, &name, member(number, user)).await;
    }
    let page = async |after: Option<u128>, limit| {
        let query = MembersQuery {
            after: after.map(client),
            limit,
        };
        let page = works(node.broker.members(&name, &query)).await;
        assert_eq!(
            page.users,
            1 + page.clients - 3,
            "three are ali, and the others nobody"
        );
        let clients: Vec<_> = page.members.iter().map(|member| member.client).collect();
        (clients, page.more, page.clients)
    };
    let clients = |numbers: &[u128]| numbers.iter().map(|number| client(*number)).collect::<Vec<_>>();
    assert_eq!(page(None, 2).await, (clients(&[1, 3]), true, 5));
    join(node, &name, member(8, None)).await;
    leave(node, &name, 9).await;
    assert_eq!(
        page(Some(3), 2).await,
        (clients(&[5, 7]), true, 5),
        "a page begins behind the one before"
    );
    assert_eq!(page(Some(7), 2).await, (clients(&[8]), false, 5));
    assert_eq!(
        page(Some(4), 9).await,
        (clients(&[5, 7, 8]), false, 5),
        "4 is not there"
    );
    assert_eq!(page(None, 0).await, (vec![], true, 5), "only how many there are");
}
