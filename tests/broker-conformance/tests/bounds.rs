//! The broker of one process conforms at its bounds; and the suite notices brokers that do not.

#![allow(clippy::unwrap_used, reason = "a test crate")]

mod noticed;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use broker_conformance::{
    Bounds, Cluster,
    bounds::{
        Whose, a_channel_too_many_is_refused_and_none_is_let_go_of_for_it as channels,
        a_member_too_many_is_not_there_and_has_room_when_another_has_left as members,
        a_subscription_too_many_is_refused_until_another_has_ended as subscriptions,
        an_event_too_many_is_neither_stored_nor_delivered_and_none_is_let_go_of_for_it as events,
    },
    conforms_at_bounds,
};
use rpc_runtime::hub::{
    Broker, BrokerWrapper, ChannelName, History, HistoryQuery, LocalBroker, Member, Position, Receipt,
    Retention,
    broker::{BrokerError, MemberChange, Node, Publication, Published},
};

use noticed::is_each_noticed_by;

const BOUNDS: Bounds = Bounds {
    nodes: 1,
    accounts: true,
};

/// A broker whose bounds are near.
fn near() -> LocalBroker {
    let broker = LocalBroker::default()
        .most_channels(100)
        .most_history_bytes(256 << 10);
    broker.most_of_one_account(20, 64 << 10)
}

#[tokio::test(start_paused = true)]
async fn the_broker_of_one_process_conforms_at_its_bounds() {
    conforms_at_bounds(BOUNDS, async |_| vec![near()]).await;
}

/// What is wrong with a broker at its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    HasNone,
    StoresWhatItRefuses,
    DeliversWhatItRefuses,
    RemembersTheKeysOfWhatItRefuses,
    LetsGoOfTheOldestChannel,
    LetsGoOfTheOldestEvent,
    RefusesAllWhereOneHasTooMuch,
    RefusesOneAsItDoesAll,
    IsNotAvailableWhereItIsFull,
    NeverHasRoomAgain,
    HasMembersWhomItRefuses,
    KeepsTheRoomOfMembersWhoLeave,
    KeepsTheRoomOfChannelsThatAreLeft,
}

/// A broker that breaks its contract.
struct Broken {
    broker: LocalBroker,
    node: OnceLock<Node>,
    wrong: Wrong,
    refused: AtomicBool,
    keys: Mutex<HashSet<Arc<str>>>,
    first: OnceLock<ChannelName>,
    /// How many events there are, or members.
    count: AtomicUsize,
    /// What was subscribed to.
    heard: Mutex<HashSet<ChannelName>>,
}

impl Broken {
    fn new(wrong: Wrong) -> Self {
        let is_far = matches!(
            wrong,
            Wrong::HasNone
                | Wrong::StoresWhatItRefuses
                | Wrong::HasMembersWhomItRefuses
                | Wrong::KeepsTheRoomOfMembersWhoLeave
                | Wrong::KeepsTheRoomOfChannelsThatAreLeft
        );
        Self {
            broker: if is_far { LocalBroker::default() } else { near() },
            node: OnceLock::new(),
            wrong,
            refused: AtomicBool::new(false),
            keys: Mutex::default(),
            first: OnceLock::new(),
            count: AtomicUsize::new(0),
            heard: Mutex::default(),
        }
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    /// One more than a hundred is refused.
    fn counts(&self) -> Result<(), BrokerError> {
        match self.count.fetch_add(1, Ordering::SeqCst) < 100 {
            true => Ok(()),
            false => Err(BrokerError::Full("there are a hundred")),
        }
    }

    fn refuses(
        &self,
        error: BrokerError,
        channel: &ChannelName,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        self.refused.store(true, Ordering::SeqCst);
        match self.wrong {
            Wrong::DeliversWhatItRefuses => {
                let position = Position::default();
                let event = Arc::new(Published {
                    position,
                    publication,
                });
                self.node.get().unwrap().deliver(channel, &event);
            }
            Wrong::RemembersTheKeysOfWhatItRefuses => {
                self.keys.lock().unwrap().extend(publication.key);
            }
            Wrong::RefusesOneAsItDoesAll => return Err(BrokerError::Full("it is")),
            Wrong::IsNotAvailableWhereItIsFull => {
                return Err(BrokerError::Unavailable("it is not".to_owned()));
            }
            _ => {}
        }
        Err(error)
    }
}

impl BrokerWrapper for Broken {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    fn start(&self, node: Node) {
        self.broker.start(node.clone());
        assert!(self.node.set(node).is_ok());
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        self.first.get_or_init(|| channel.clone());
        let has_refused = self.refused.load(Ordering::SeqCst);
        if has_refused && self.is(Wrong::NeverHasRoomAgain) {
            return Err(BrokerError::Full("it was"));
        }
        if has_refused && self.is(Wrong::RefusesAllWhereOneHasTooMuch) {
            return Err(BrokerError::AccountFull("it was"));
        }
        let done = self.broker.publish(channel, keep, publication.clone()).await;
        let is_remembered = |key| self.keys.lock().unwrap().contains(key);
        match done {
            Ok(_) if publication.key.as_ref().is_some_and(is_remembered) => {
                Ok(Receipt::default().duplicate())
            }
            Ok(_) if self.is(Wrong::StoresWhatItRefuses) => self.counts().and(done),
            Ok(receipt) => Ok(receipt),
            Err(error) => self.refuses(error, channel, publication),
        }
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        if self.is(Wrong::KeepsTheRoomOfChannelsThatAreLeft) {
            let mut heard = self.heard.lock().unwrap();
            if heard.len() >= 100 && !heard.contains(channel) {
                return Err(BrokerError::Full("there are a hundred"));
            }
            heard.insert(channel.clone());
        }
        self.broker.subscribe(channel, keep).await
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        let mut history = self.broker.history(channel, keep, query).await?;
        if self.refused.load(Ordering::SeqCst) && self.first.get() == Some(channel) {
            let events = &mut history.events;
            match self.wrong {
                Wrong::LetsGoOfTheOldestChannel if events.len() == 1 => events.clear(),
                Wrong::LetsGoOfTheOldestEvent if events.len() > 1 => drop(events.remove(0)),
                _ => {}
            }
        }
        Ok(history)
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        if self.is(Wrong::KeepsTheRoomOfMembersWhoLeave) {
            self.counts()?;
        }
        let change = self.broker.join(channel, member).await?;
        if self.is(Wrong::HasMembersWhomItRefuses) {
            self.counts()?;
        }
        Ok(change)
    }
}

/// Each is asked what it has wrong, because some have no other bound.
#[test]
fn brokers_that_break_the_contract_at_their_bounds_are_noticed() {
    let of = |wrong| Cluster::start(vec![Broken::new(wrong)]);
    let wrongs = [
        (Wrong::HasNone, "a broker whose bounds are near refuses something"),
        (
            Wrong::LetsGoOfTheOldestChannel,
            "what was acknowledged is not let go of for what is new",
        ),
        (
            Wrong::IsNotAvailableWhereItIsFull,
            "what is too much of All is refused as that",
        ),
        (Wrong::NeverHasRoomAgain, "what is over has made room"),
    ];
    is_each_noticed_by(&wrongs, async move |wrong| channels(&of(wrong)).await);
    let wrongs = [
        (Wrong::HasNone, "a broker whose bounds are near refuses something"),
        (
            Wrong::StoresWhatItRefuses,
            "what was acknowledged is stored, and nothing else is",
        ),
        (
            Wrong::DeliversWhatItRefuses,
            "what was acknowledged is delivered, and nothing else is",
        ),
        (
            Wrong::RemembersTheKeysOfWhatItRefuses,
            "nothing is remembered of what was refused",
        ),
        (
            Wrong::LetsGoOfTheOldestEvent,
            "what was acknowledged is stored, and nothing else is",
        ),
        (Wrong::NeverHasRoomAgain, "what is over has made room"),
    ];
    is_each_noticed_by(&wrongs, async move |wrong| events(&of(wrong), Whose::All).await);
    let wrongs = [
        (
            Wrong::DeliversWhatItRefuses,
            "what was acknowledged is delivered, and nothing else is",
        ),
        (
            Wrong::RefusesAllWhereOneHasTooMuch,
            "where one has too much the others have room",
        ),
        (
            Wrong::RefusesOneAsItDoesAll,
            "what is too much of One is refused as that",
        ),
    ];
    is_each_noticed_by(&wrongs, async move |wrong| events(&of(wrong), Whose::One).await);
    let wrongs = [
        (Wrong::HasNone, "a broker whose bounds are near refuses something"),
        (
            Wrong::KeepsTheRoomOfChannelsThatAreLeft,
            "channels that are left have made room",
        ),
    ];
    is_each_noticed_by(&wrongs, async move |wrong| subscriptions(&of(wrong)).await);
    let wrongs = [
        (Wrong::HasNone, "a broker whose bounds are near refuses something"),
        (Wrong::HasMembersWhomItRefuses, "who was refused is not there"),
        (Wrong::KeepsTheRoomOfMembersWhoLeave, "who has left has made room"),
    ];
    is_each_noticed_by(&wrongs, async move |wrong| members(&of(wrong), Whose::All).await);
    is_each_noticed_by(
        &[(Wrong::HasNone, "a broker whose bounds are near refuses something")],
        async move |wrong| members(&of(wrong), Whose::One).await,
    );
}
