//! A broker that takes its time, and remembers what it was given: the truth by which deliveries are judged.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use prost::Message;
use rpc_runtime::{
    ClientId, Contract,
    hub::{
        Broker, ChannelName, History, HistoryQuery, LocalBroker, Member, Position, Receipt, Retention,
        broker::{Address, BrokerError, MemberChange, Members, MembersQuery, Node, Publication},
    },
    prost,
};

use crate::{model::Log, program::Tick, random::Random};

/// What was published in each channel, whichever server it was.
pub type Logs = Arc<Mutex<HashMap<String, Log>>>;

/// The broker of one server.
pub struct Recorder {
    inner: LocalBroker,
    logs: Logs,
    random: Mutex<Random>,
}

impl Recorder {
    pub fn new(logs: Logs, seed: u64) -> Self {
        Self {
            inner: LocalBroker::default(),
            logs,
            random: Mutex::new(Random(seed)),
        }
    }

    /// Lets others go on, mostly for no time at all.
    async fn linger(&self) {
        let time = {
            let mut random = self.random.lock().unwrap();
            match random.below(4) {
                0 => Some(random.below(40)),
                1 => Some(0),
                _ => None,
            }
        };
        match time {
            Some(0) => tokio::task::yield_now().await,
            Some(time) => tokio::time::sleep(Duration::from_millis(time as u64)).await,
            None => {}
        }
    }
}

impl Broker for Recorder {
    fn start(&self, node: Node) {
        Broker::start(&self.inner, node);
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        self.linger().await;
        let except: Vec<String> = publication.except.iter().map(ToString::to_string).collect();
        // What the hub itself publishes is for nobody's program.
        let is_tick = *publication.type_name == *Tick::FULL_NAME;
        let number = Tick::decode(publication.body.clone()).map_or(0, |tick| tick.number);
        let receipt = self.inner.publish(channel, keep, publication).await?;
        if !receipt.duplicate {
            let mut logs = self.logs.lock().unwrap();
            let log = logs.entry(channel.to_string()).or_default();
            match receipt.position {
                Some(position) => {
                    assert!(is_tick, "something else in the history of {channel}");
                    log.published(number, position, except.into_iter().next());
                }
                None => log.passed_by(number),
            }
        }
        self.linger().await;
        Ok(receipt)
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        self.linger().await;
        let position = self.inner.subscribe(channel, keep).await;
        self.linger().await;
        position
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        self.linger().await;
        self.inner.unsubscribe(channel).await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        self.linger().await;
        let history = self.inner.history(channel, keep, query).await;
        self.linger().await;
        history
    }

    async fn send(&self, to: &Address, publication: Publication) -> Result<Receipt, BrokerError> {
        self.inner.send(to, publication).await
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        self.linger().await;
        self.inner.join(channel, member).await
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        self.linger().await;
        self.inner.leave(channel, client).await
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        self.inner.members(channel, query).await
    }
}
