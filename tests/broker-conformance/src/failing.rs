//! Calls that fail: a broker that fails on command, and what has to hold after that.
//!
//! Either a call does not reach the broker, or its answer does not come back. Whoever called cannot tell which, calls again, and
//! nothing may be missing or there twice.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rpc_runtime::{
    ClientId,
    hub::{
        Broker, ChannelName, History, HistoryQuery, Member, Position, Receipt, Retention,
        broker::{Address, BrokerError, MemberChange, Members, MembersQuery, Node, Publication},
    },
};

use crate::cluster::{Cluster, body, call, channel, client, keyed, text};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It does not reach the broker.
    Unsent,
    /// The broker does it, and the caller does not hear of it.
    Unanswered,
}

/// A broker whose next calls fail as they are told to.
#[derive(Debug)]
pub struct Failing<B> {
    broker: B,
    failures: Mutex<VecDeque<Failure>>,
}

impl<B> Failing<B> {
    /// This broker, which fails when it is told to.
    pub fn new(broker: B) -> Self {
        Self {
            broker,
            failures: Mutex::default(),
        }
    }

    /// Has the next call that does not fail already fail like this.
    pub fn fail(&self, how: Failure) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.push_back(how);
    }

    async fn pass<T>(&self, call: impl Future<Output = Result<T, BrokerError>>) -> Result<T, BrokerError> {
        let failure = {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.pop_front()
        };
        match failure {
            None => return call.await,
            Some(Failure::Unsent) => {}
            Some(Failure::Unanswered) => drop(call.await),
        }
        Err(BrokerError::Unavailable("it was told to fail".to_owned()))
    }
}

impl<B: Broker> Broker for Failing<B> {
    fn start(&self, node: Node) {
        self.broker.start(node);
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        self.pass(self.broker.publish(channel, keep, publication)).await
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        self.pass(self.broker.subscribe(channel, keep)).await
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        self.pass(self.broker.unsubscribe(channel)).await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        self.pass(self.broker.history(channel, keep, query)).await
    }

    async fn send(&self, to: &Address, publication: Publication) -> Result<Receipt, BrokerError> {
        self.pass(self.broker.send(to, publication)).await
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        self.pass(self.broker.join(channel, member)).await
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        self.pass(self.broker.leave(channel, client)).await
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        self.pass(self.broker.members(channel, query)).await
    }
}

/// Everybody who is in a channel.
const ALL: MembersQuery = MembersQuery {
    after: None,
    limit: usize::MAX,
};

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<Failing<B>>) {
    for how in [Failure::Unsent, Failure::Unanswered] {
        what_could_not_be_published_is_stored_once_when_it_is_published_again_by_its_key(cluster, how).await;
        whoever_could_not_subscribe_hears_everything_once_it_can(cluster, how).await;
        a_change_of_presence_that_failed_is_made_by_repeating_it(cluster, how).await;
    }
}

/// And delivered once.
pub async fn what_could_not_be_published_is_stored_once_when_it_is_published_again_by_its_key<B: Broker>(
    cluster: &Cluster<Failing<B>>,
    how: Failure,
) {
    let (node, name) = (cluster.first(), channel("failing"));
    for node in &cluster.nodes {
        node.subscribe(&name, &KEEP).await;
    }
    node.publish(&name, &KEEP, text("before")).await;
    node.broker.fail(how);
    let failed = call(node.broker.publish(&name, &KEEP, keyed("it", "key"))).await;
    assert!(failed.is_err());
    let kept = node.all(&name, &KEEP).await;
    let expected = if how == Failure::Unsent { 1 } else { 2 };
    assert_eq!(kept.events.len(), expected, "it is published, or it is not");
    assert_eq!(kept.position.offset, expected as u64);
    let again = node.publish(&name, &KEEP, keyed("it", "key")).await;
    assert_eq!(
        again.duplicate,
        how == Failure::Unanswered,
        "publishing it again with the same key stores it once"
    );
    assert_eq!(again.position.map(|position| position.offset), Some(2));
    node.publish(&name, &KEEP, text("last")).await;
    for node in &cluster.nodes {
        let events = node.given.until(&name, "last").await;
        let texts: Vec<_> = events.iter().map(|event| body(event)).collect();
        assert_eq!(texts, ["before", "it"], "and it is delivered once");
    }
}

/// Of what comes after the position that it is given then.
pub async fn whoever_could_not_subscribe_hears_everything_once_it_can<B: Broker>(
    cluster: &Cluster<Failing<B>>,
    how: Failure,
) {
    let (node, name) = (cluster.first(), channel("failing"));
    node.broker.fail(how);
    assert!(call(node.broker.subscribe(&name, &KEEP)).await.is_err());
    node.publish(&name, &KEEP, text("meanwhile")).await;
    assert_eq!(node.subscribe(&name, &KEEP).await.offset, 1);
    node.publish(&name, &KEEP, text("then")).await;
    node.broker.fail(how);
    assert!(call(node.broker.unsubscribe(&name)).await.is_err());
    // Whether it has unsubscribed or not: it subscribes again.
    assert_eq!(node.subscribe(&name, &KEEP).await.offset, 2);
    let mut texts: Vec<_> = node
        .delivered(&name, &KEEP)
        .await
        .iter()
        .map(|event| body(event))
        .collect();
    texts.retain(|text| text != "meanwhile");
    assert_eq!(texts, ["then"]);
}

/// The change may have been made already, and then says so.
pub async fn a_change_of_presence_that_failed_is_made_by_repeating_it<B: Broker>(
    cluster: &Cluster<Failing<B>>,
    how: Failure,
) {
    let (node, name) = (cluster.first(), channel("failing"));
    let ali = Member {
        client: client(1),
        user: Some("ali".into()),
        since: SystemTime::UNIX_EPOCH,
        data: None,
    };
    let made = how == Failure::Unanswered;
    node.broker.fail(how);
    assert!(call(node.broker.join(&name, ali.clone())).await.is_err());
    let change = call(node.broker.join(&name, ali.clone())).await;
    assert!(change.is_ok_and(|change| change.changed != made));
    assert!(
        call(node.broker.members(&name, &ALL))
            .await
            .is_ok_and(|members| members.members == [ali])
    );
    node.broker.fail(how);
    assert!(call(node.broker.leave(&name, client(1))).await.is_err());
    let change = call(node.broker.leave(&name, client(1))).await;
    assert!(change.is_ok_and(|change| change.changed != made));
    assert!(
        call(node.broker.members(&name, &ALL))
            .await
            .is_ok_and(|members| members.members.is_empty())
    );
}
