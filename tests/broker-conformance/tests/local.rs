//! The broker of one process conforms; and the suite notices brokers that do not.

#![allow(clippy::unwrap_used, reason = "a test crate")]

mod noticed;

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use broker_conformance::{Cluster, Parameters, conforms, history, keys, order, retention};
use rpc_runtime::{
    ClientId,
    hub::{
        Broker, BrokerWrapper, ChannelName, History, HistoryQuery, LocalBroker, Receipt, Retention,
        broker::{
            Address, BrokerError, MemberChange, Members, MembersQuery, Node, Origin, Publication, Published,
            Receiver,
        },
    },
};

use noticed::{is_each_noticed, is_each_noticed_by};

const ONE: Parameters = Parameters { nodes: 1 };

#[tokio::test(start_paused = true)]
async fn the_broker_of_one_process_conforms() {
    conforms(ONE, async |_| vec![LocalBroker::default()]).await;
}

/// With publishers that really run at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_keeps_order_among_publishers_on_several_threads() {
    for _ in 0..20 {
        let cluster = Cluster::start(vec![LocalBroker::default()]);
        order::all(&cluster).await;
        history::what_was_acknowledged_is_in_history_at_once(&cluster).await;
    }
}

/// What is wrong with a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    DeliversTwice,
    Swaps,
    ForgetsOne,
    KnowsEveryPosition,
    HasNoKeys,
    SharesKeys,
    TakesAnyEventForTheFirst,
    ReadsOnePage,
    NeverLetsGo,
    HoldsOnToUsers,
    SendsTwice,
    TakesTooLong,
}

/// A broker that breaks its contract.
struct Broken {
    broker: LocalBroker,
    between: OnceLock<Arc<Between>>,
    wrong: Wrong,
}

/// What it does between the broker and its node.
struct Between {
    node: Node,
    wrong: Wrong,
    held: Mutex<Option<Arc<Published>>>,
    count: Mutex<usize>,
}

impl Receiver for Between {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        match self.wrong {
            Wrong::DeliversTwice if *count == 5 => {
                self.node.deliver(channel, event);
                self.node.deliver(channel, event)
            }
            Wrong::ForgetsOne if *count == 5 => 1,
            Wrong::Swaps if *count == 5 => {
                *self.held.lock().unwrap() = Some(event.clone());
                1
            }
            Wrong::Swaps if *count == 6 => {
                self.node.deliver(channel, event);
                let held = self.held.lock().unwrap().take().unwrap();
                self.node.deliver(channel, &held)
            }
            _ => self.node.deliver(channel, event),
        }
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        if self.wrong == Wrong::SendsTwice {
            self.node.deliver_to(to, event);
        }
        self.node.deliver_to(to, event)
    }
}

impl Broken {
    fn new(wrong: Wrong) -> Self {
        Self {
            broker: LocalBroker::default(),
            between: OnceLock::new(),
            wrong,
        }
    }
}

impl BrokerWrapper for Broken {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    fn start(&self, node: Node) {
        let between = Arc::new(Between {
            node,
            wrong: self.wrong,
            held: Mutex::default(),
            count: Mutex::default(),
        });
        self.broker.start(Node::new(7, &between));
        assert!(self.between.set(between).is_ok());
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        mut publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let mut keep = *keep;
        match self.wrong {
            Wrong::HasNoKeys => publication.key = None,
            Wrong::SharesKeys => publication.origin = Origin::Server,
            Wrong::TakesAnyEventForTheFirst => {
                let receipt = self.broker.publish(channel, &keep, publication).await;
                return match receipt {
                    Err(BrokerError::OtherEvent) => Ok(Receipt::default().duplicate()),
                    receipt => receipt,
                };
            }
            Wrong::NeverLetsGo if keep.events > 0 => keep.events = 1_000_000,
            Wrong::TakesTooLong => tokio::time::sleep(Duration::from_secs(3)).await,
            _ => {}
        }
        self.broker.publish(channel, &keep, publication).await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        let mut keep = *keep;
        if self.wrong == Wrong::NeverLetsGo && keep.events > 0 {
            keep.events = 1_000_000;
        }
        let mut history = self.broker.history(channel, &keep, query).await?;
        history.complete |= self.wrong == Wrong::KnowsEveryPosition;
        Ok(history)
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        let mut change = self.broker.leave(channel, client).await?;
        change.of_user &= self.wrong != Wrong::HoldsOnToUsers;
        Ok(change)
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        let mut query = *query;
        query.after = query.after.filter(|_| self.wrong != Wrong::ReadsOnePage);
        self.broker.members(channel, &query).await
    }
}

#[test]
fn brokers_that_break_the_contract_are_noticed() {
    let wrongs = [
        (
            Wrong::DeliversTwice,
            "events have offsets without gaps within an epoch, each once",
        ),
        (
            Wrong::Swaps,
            "events have offsets without gaps within an epoch, each once",
        ),
        (
            Wrong::ForgetsOne,
            "events have offsets without gaps within an epoch, each once",
        ),
        (Wrong::KnowsEveryPosition, "none is missing behind it"),
        (Wrong::SharesKeys, "a key is its origin's own"),
        (
            Wrong::TakesAnyEventForTheFirst,
            "another event with the same key is refused",
        ),
        (Wrong::ReadsOnePage, "a page begins behind the one before"),
        (Wrong::HoldsOnToUsers, "bea goes"),
        (Wrong::SendsTwice, "in the order of each sender"),
        (Wrong::TakesTooLong, "no call blocks for longer than two seconds"),
    ];
    is_each_noticed(ONE, &wrongs, |wrong| vec![Broken::new(wrong)]);
    // By the questions that are about it: another one asks before them for what these have not.
    let of = |wrong| Cluster::start(vec![Broken::new(wrong)]);
    let why = "an event with a key that history still remembers is not published again";
    is_each_noticed_by(&[(Wrong::HasNoKeys, why)], async move |wrong| {
        keys::all(&of(wrong)).await;
    });
    let why = "the latest events are kept, and no more than may be";
    is_each_noticed_by(&[(Wrong::NeverLetsGo, why)], async move |wrong| {
        retention::all(&of(wrong)).await;
    });
}
