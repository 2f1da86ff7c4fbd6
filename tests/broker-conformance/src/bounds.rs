//! Bounds: who is refused, and that it costs nothing that was acknowledged.

use std::time::Duration;

use rpc_runtime::hub::{
    Broker, ChannelName, Receipt, Retention,
    broker::{BrokerError, Origin, Publication},
};

use crate::{
    Bounds,
    cluster::{Cluster, body, call, channel, keyed, text},
    presence::{join, leave, member, members},
};

/// Everything is kept for so long.
const TIME: Duration = Duration::from_secs(60);

const KEEP: Retention = Retention {
    events: 1_000_000,
    bytes: 1 << 30,
    ..Retention::of(0, TIME)
};

/// What is over has made room by then.
const SLACK: Duration = Duration::from_secs(2);

/// A broker whose bounds are near has refused something by then.
const MOST: u128 = 5_000;

/// Everything in this module, each with a broker of its own that has taken nothing yet.
pub async fn all<B: Broker>(bounds: Bounds, make: &impl AsyncFn(usize) -> Vec<B>) {
    let new = async || Cluster::start(make(bounds.nodes.clamp(1, 2)).await);
    a_channel_too_many_is_refused_and_none_is_let_go_of_for_it(&new().await).await;
    an_event_too_many_is_neither_stored_nor_delivered_and_none_is_let_go_of_for_it(&new().await, Whose::All)
        .await;
    a_subscription_too_many_is_refused_until_another_has_ended(&new().await).await;
    a_member_too_many_is_not_there_and_has_room_when_another_has_left(&new().await, Whose::All).await;
    if bounds.accounts {
        an_event_too_many_is_neither_stored_nor_delivered_and_none_is_let_go_of_for_it(
            &new().await,
            Whose::One,
        )
        .await;
        a_member_too_many_is_not_there_and_has_room_when_another_has_left(&new().await, Whose::One).await;
    }
}

/// Whose bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// That of all.
    All,
    /// That of one user.
    One,
}

impl Whose {
    fn origin(self) -> Origin {
        match self {
            Self::All => Origin::Server,
            Self::One => Origin::User("ann".into()),
        }
    }

    /// Whether a call was done. Where it was not, it is for the bound that is looked for.
    fn is_done<T>(self, done: &Result<T, BrokerError>) -> bool {
        match (self, done) {
            (_, Ok(_)) => true,
            (Self::All, Err(BrokerError::Full(_))) | (Self::One, Err(BrokerError::AccountFull(_))) => false,
            (_, Err(error)) => panic!("what is too much of {self:?} is refused as that: {error:?}"),
        }
    }
}

fn by(origin: Origin, publication: Publication) -> Publication {
    Publication {
        origin,
        ..publication
    }
}

/// What a call has given that needs room, where there has to be some.
fn has_room<T>(done: Result<T, BrokerError>, why: &str) -> T {
    match done {
        Ok(done) => done,
        Err(error) => panic!("{why}, and there is none: {error}"),
    }
}

fn check_near(count: u128) {
    assert!(count < MOST, "a broker whose bounds are near refuses something");
}

/// All that were there have what they had, and the new one has nothing.
pub async fn a_channel_too_many_is_refused_and_none_is_let_go_of_for_it<B: Broker>(cluster: &Cluster<B>) {
    let node = cluster.first();
    let mut names = Vec::new();
    let refused = loop {
        check_near(names.len() as u128);
        let name = channel("full");
        let done = call(node.broker.publish(&name, &KEEP, text("kept"))).await;
        if !Whose::All.is_done(&done) {
            break name;
        }
        names.push(name);
    };
    for name in &names {
        let history = node.all(name, &KEEP).await;
        let kept: Vec<_> = history.events.iter().map(|event| body(event)).collect();
        assert_eq!(
            kept,
            ["kept"],
            "what was acknowledged is not let go of for what is new"
        );
        assert_eq!(history.position.offset, 1);
    }
    tokio::time::sleep(TIME + SLACK).await;
    // Of which nothing was taken before.
    let published = call(node.broker.publish(&refused, &KEEP, text("later"))).await;
    let receipt = has_room(published, "what is over has made room");
    assert_eq!(receipt.position.map(|position| position.offset), Some(1));
}

/// Nor is its key remembered, and where one user has too much the others go on.
pub async fn an_event_too_many_is_neither_stored_nor_delivered_and_none_is_let_go_of_for_it<B: Broker>(
    cluster: &Cluster<B>,
    whose: Whose,
) {
    let (node, name) = (cluster.first(), channel("full"));
    for node in &cluster.nodes {
        node.subscribe(&name, &KEEP).await;
    }
    let mut stored = Vec::new();
    let publish = async |what: &str| -> Result<Receipt, BrokerError> {
        let publication = by(whose.origin(), keyed(what, what));
        call(node.broker.publish(&name, &KEEP, publication)).await
    };
    let refused = loop {
        check_near(stored.len() as u128);
        let what = format!("event {}", stored.len());
        match publish(&what).await {
            done if !whose.is_done(&done) => break what,
            _ => stored.push(what),
        }
    };
    for _ in 0..3 {
        assert!(
            !whose.is_done(&publish(&refused).await),
            "there is no room as before"
        );
    }
    if whose == Whose::One {
        for other in [Origin::Server, Origin::User("bea".into())] {
            let what = format!("of {other:?}");
            let published = call(node.broker.publish(&name, &KEEP, by(other, text(&what)))).await;
            has_room(published, "where one has too much the others have room");
            stored.push(what);
        }
    }
    let history = node.all(&name, &KEEP).await;
    let kept: Vec<_> = history.events.iter().map(|event| body(event)).collect();
    assert_eq!(
        kept, stored,
        "what was acknowledged is stored, and nothing else is"
    );
    assert_eq!(history.position.offset, stored.len() as u64);
    tokio::time::sleep(TIME + SLACK).await;
    let receipt = has_room(publish(&refused).await, "what is over has made room");
    assert!(!receipt.duplicate, "nothing is remembered of what was refused");
    let offset = receipt.position.map(|position| position.offset);
    assert_eq!(offset, Some(stored.len() as u64 + 1), "offsets have no gaps");
    stored.push(refused);
    node.publish(&name, &KEEP, text("last")).await;
    for node in &cluster.nodes {
        let given = node.given.until(&name, "last").await;
        let given: Vec<_> = given.iter().map(|event| body(event)).collect();
        assert_eq!(
            given, stored,
            "what was acknowledged is delivered, and nothing else is"
        );
    }
}

/// To a channel that nobody has subscribed to.
pub async fn a_subscription_too_many_is_refused_until_another_has_ended<B: Broker>(cluster: &Cluster<B>) {
    let node = cluster.first();
    let mut names: Vec<ChannelName> = Vec::new();
    let refused = loop {
        check_near(names.len() as u128);
        let name = channel("heard");
        let done = call(node.broker.subscribe(&name, &KEEP)).await;
        if !Whose::All.is_done(&done) {
            break name;
        }
        names.push(name);
    };
    for name in &names {
        assert_eq!(
            node.subscribe(name, &KEEP).await.offset,
            0,
            "who has subscribed stays"
        );
    }
    for name in names.iter().take(2) {
        if let Err(error) = call(node.broker.unsubscribe(name)).await {
            panic!("nothing is wrong with the broker, and a call failed: {error}");
        }
    }
    let subscribed = call(node.broker.subscribe(&refused, &KEEP)).await;
    let position = has_room(subscribed, "channels that are left have made room");
    node.publish(&refused, &KEEP, text("one")).await;
    let last = node.publish(&refused, &KEEP, text("last")).await;
    assert_eq!(last.position.map(|last| last.offset), Some(position.offset + 2));
    assert_eq!(node.given.until(&refused, "last").await.len(), 1);
}

/// And where one user has too many the others come and go.
pub async fn a_member_too_many_is_not_there_and_has_room_when_another_has_left<B: Broker>(
    cluster: &Cluster<B>,
    whose: Whose,
) {
    let (node, name) = (cluster.first(), channel("crowd"));
    let user = match whose {
        Whose::All => None,
        Whose::One => Some("ann"),
    };
    let mut there = Vec::new();
    let refused = loop {
        let number = there.len() as u128 + 1;
        check_near(number);
        let done = call(node.broker.join(&name, member(number, user))).await;
        if !whose.is_done(&done) {
            break number;
        }
        there.push(member(number, user));
    };
    assert_eq!(
        members(cluster, &name).await,
        there,
        "who was refused is not there"
    );
    if whose == Whose::One {
        assert_eq!(
            join(node, &name, member(MOST + 1, Some("bea"))).await,
            (true, true)
        );
        assert_eq!(leave(node, &name, MOST + 1).await, (true, true));
    }
    let (changed, _) = leave(node, &name, 1).await;
    assert!(changed);
    let joined = call(node.broker.join(&name, member(refused, user))).await;
    let change = has_room(joined, "who has left has made room");
    assert!(change.changed, "who was refused was not there");
    there.remove(0);
    there.push(member(refused, user));
    assert_eq!(members(cluster, &name).await, there);
}
