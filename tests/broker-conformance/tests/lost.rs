//! The suite notices brokers that lose histories and do not say so.

#![allow(clippy::unwrap_used, reason = "a test crate")]

mod noticed;

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, OnceLock},
};

use broker_conformance::{Cluster, Parameters, lost};
use rpc_runtime::hub::{
    Broker, BrokerWrapper, ChannelName, History, HistoryQuery, LocalBroker, Position, Receipt, Retention,
    broker::{Address, BrokerError, Node, Publication, Published, Receiver},
};

use noticed::{is_each_noticed, is_each_noticed_by};

/// What is wrong with a broker that loses histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// A history that was lost begins anew under the name that it had.
    NamesHistoriesByTheirChannels,
    /// Its name has the number of those that there were, since the process began.
    CountsHistories,
    /// Where no event is left, none is missing.
    TakesAnEmptyHistoryForAWholeOne,
}

/// A broker that breaks its contract.
struct Broken {
    broker: LocalBroker,
    between: OnceLock<Arc<Between>>,
    wrong: Wrong,
}

struct Between {
    node: Node,
    names: Names,
}

/// By what names it calls the epochs of each channel.
struct Names {
    wrong: Wrong,
    known: Mutex<HashMap<ChannelName, Vec<u64>>>,
}

impl Names {
    fn outer(&self, channel: &ChannelName, position: Position) -> Position {
        if self.wrong == Wrong::TakesAnEmptyHistoryForAWholeOne || position == Position::default() {
            return position;
        }
        let mut known = self.known.lock().unwrap();
        let known = known.entry(channel.clone()).or_default();
        if !known.contains(&position.epoch) {
            known.push(position.epoch);
        }
        let number = match self.wrong {
            Wrong::NamesHistoriesByTheirChannels => 0,
            _ => known.iter().position(|epoch| *epoch == position.epoch).unwrap() as u64,
        };
        let mut hasher = DefaultHasher::new();
        channel.as_str().hash(&mut hasher);
        Position {
            epoch: hasher.finish().wrapping_add(number),
            ..position
        }
    }
}

impl Receiver for Between {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        let event = Published {
            position: self.names.outer(channel, event.position),
            publication: event.publication.clone(),
        };
        self.node.deliver(channel, &Arc::new(event))
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
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

    fn outer(&self, channel: &ChannelName, position: Position) -> Position {
        self.between.get().unwrap().names.outer(channel, position)
    }
}

impl BrokerWrapper for Broken {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    fn start(&self, node: Node) {
        let names = Names {
            wrong: self.wrong,
            known: Mutex::default(),
        };
        let between = Arc::new(Between { node, names });
        self.broker.start(Node::new(7, &between));
        assert!(self.between.set(between).is_ok());
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let has_id = publication.id.is_some();
        let mut receipt = self.broker.publish(channel, keep, publication).await?;
        receipt.position = receipt.position.map(|position| self.outer(channel, position));
        if let Some(position) = receipt.position.filter(|_| !has_id) {
            receipt.id = position.to_string().into();
        }
        Ok(receipt)
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        let position = self.broker.subscribe(channel, keep).await?;
        Ok(self.outer(channel, position))
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        let everything = HistoryQuery {
            limit: usize::MAX,
            ..HistoryQuery::default()
        };
        let all = self.broker.history(channel, keep, &everything).await?;
        let now = self.outer(channel, all.position);
        let mut query = *query;
        if let Some(after) = query.after.as_mut().filter(|after| after.epoch == now.epoch) {
            after.epoch = all.position.epoch;
        }
        let mut history = self.broker.history(channel, keep, &query).await?;
        if self.wrong == Wrong::TakesAnEmptyHistoryForAWholeOne && all.events.is_empty() {
            let known = |after: Position| after.epoch == now.epoch && after.offset <= now.offset;
            history.complete |= query.after.is_some_and(known);
        }
        history.position = now;
        for event in &mut history.events {
            *event = Arc::new(Published {
                position: self.outer(channel, event.position),
                publication: event.publication.clone(),
            });
        }
        Ok(history)
    }
}

#[test]
fn brokers_that_lose_histories_and_do_not_say_so_are_noticed() {
    let begins = "where history was lost, a new epoch begins";
    let names = "an epoch names one history";
    let missing = "events are missing behind 0, where none is kept";
    let all = [
        (Wrong::NamesHistoriesByTheirChannels, begins),
        (Wrong::CountsHistories, names),
        (Wrong::TakesAnEmptyHistoryForAWholeOne, missing),
    ];
    is_each_noticed(Parameters { nodes: 1 }, &all, |wrong| vec![Broken::new(wrong)]);
    // Each by the question that is about it.
    let of = |wrong| Cluster::start(vec![Broken::new(wrong)]);
    let one = [(Wrong::TakesAnEmptyHistoryForAWholeOne, missing)];
    is_each_noticed_by(&one, async move |wrong| {
        lost::what_time_has_taken_is_missing_behind_each_position_before_it(&of(wrong)).await;
    });
    let one = [(Wrong::NamesHistoriesByTheirChannels, begins)];
    is_each_noticed_by(&one, async move |wrong| {
        lost::a_channel_that_was_forgotten_goes_on_or_begins_another_history(&of(wrong)).await;
    });
    let again = [
        (Wrong::NamesHistoriesByTheirChannels, names),
        (Wrong::CountsHistories, names),
    ];
    is_each_noticed_by(&again, async move |wrong| {
        let make = async |_| vec![Broken::new(wrong)];
        lost::a_broker_that_begins_again_goes_on_or_begins_other_histories(of(wrong), &make, 1).await;
    });
}

/// Each has wrong what it says, and nothing else that the rest of the suite would notice.
#[tokio::test(start_paused = true)]
async fn no_other_question_is_about_that() {
    use broker_conformance::{history, keys, order, presence, retention, sending};
    for wrong in [
        Wrong::NamesHistoriesByTheirChannels,
        Wrong::CountsHistories,
        Wrong::TakesAnEmptyHistoryForAWholeOne,
    ] {
        let cluster = Cluster::start(vec![Broken::new(wrong)]);
        order::all(&cluster).await;
        history::all(&cluster).await;
        retention::all(&cluster).await;
        keys::all(&cluster).await;
        presence::all(&cluster).await;
        sending::all(&cluster).await;
    }
}
