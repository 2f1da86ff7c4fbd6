//! A broker of two nodes conforms; and the suite notices what only one that waits, or has several nodes, can have wrong.
//!
//! The broker is the one of one process behind a hall that hands what it delivers to each node that wants it, as a broker over a
//! network would.

#![allow(clippy::unwrap_used, reason = "a test crate")]

mod noticed;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, OnceLock},
};

use broker_conformance::{Parameters, conforms};
use rpc_runtime::{
    ClientId,
    hub::{
        Broker, BrokerWrapper, ChannelName, LocalBroker, Member, Position, Receipt, Retention,
        broker::{
            Address, BrokerError, MEMBER_TIME, MemberChange, Members, MembersQuery, Node, Publication,
            Published, Receiver,
        },
    },
};
use tokio::time::Instant;

use noticed::is_each_noticed;

const TWO: Parameters = Parameters { nodes: 2 };

/// What is wrong with a broker of several nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    DeliversToTheFirstAlone,
    DeliversTwiceToTheSecond,
    UnsubscribesForAll,
    SendsToTheFirstAlone,
    KeepsMembersOfNodesThatAreGone,
    HasAHistoryForEachNode,
    TakesItsTimeBeforeItPublishes,
}

/// What the nodes have in common.
struct Shared {
    broker: LocalBroker,
    hall: OnceLock<Arc<Hall>>,
    /// One at a time subscribes or unsubscribes, because the broker behind the hall hears of the first and of the last alone.
    turn: tokio::sync::Mutex<()>,
    wrong: Wrong,
}

/// Those to whom the broker delivers.
#[derive(Default)]
struct Hall {
    seats: Mutex<Vec<Seat>>,
    wrong: Option<Wrong>,
}

struct Seat {
    node: Node,
    subscribed: HashSet<ChannelName>,
    /// Who is where by this node's doing.
    members: HashSet<(ChannelName, ClientId)>,
    gone: Option<Instant>,
}

impl Hall {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }
}

impl Receiver for Hall {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        let mut count = 0;
        for (at, seat) in self.seats.lock().unwrap().iter().enumerate() {
            let is_second = at > 0;
            if is_second && self.is(Wrong::DeliversToTheFirstAlone) || !seat.subscribed.contains(channel) {
                continue;
            }
            count += seat.node.deliver(channel, event);
            if is_second && self.is(Wrong::DeliversTwiceToTheSecond) {
                seat.node.deliver(channel, event);
            }
        }
        count
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        let seats = self.seats.lock().unwrap();
        let most = if self.is(Wrong::SendsToTheFirstAlone) {
            1
        } else {
            usize::MAX
        };
        seats
            .iter()
            .take(most)
            .map(|seat| seat.node.deliver_to(to, event))
            .sum()
    }
}

/// The broker as one node sees it.
struct AtNode {
    shared: Arc<Shared>,
    at: OnceLock<usize>,
}

/// The brokers of two nodes, which are one.
fn two(wrong: Wrong) -> Vec<AtNode> {
    let make = || {
        Arc::new(Shared {
            broker: LocalBroker::default(),
            hall: OnceLock::new(),
            turn: tokio::sync::Mutex::default(),
            wrong,
        })
    };
    let shared = make();
    let second = match wrong {
        Wrong::HasAHistoryForEachNode => make(),
        _ => shared.clone(),
    };
    let at_node = |shared| AtNode {
        shared,
        at: OnceLock::new(),
    };
    vec![at_node(shared), at_node(second)]
}

impl AtNode {
    fn with<T>(&self, change: impl FnOnce(&mut Seat) -> T) -> T {
        let hall = self.shared.hall.get().unwrap();
        change(&mut hall.seats.lock().unwrap()[*self.at.get().unwrap()])
    }

    /// Lets go of the members of nodes that have been gone for too long.
    async fn let_go(&self) {
        if self.shared.wrong == Wrong::KeepsMembersOfNodesThatAreGone {
            return;
        }
        let hall = self.shared.hall.get().unwrap();
        let mut over = Vec::new();
        for seat in hall.seats.lock().unwrap().iter_mut() {
            if seat.gone.is_some_and(|gone| gone.elapsed() >= MEMBER_TIME) {
                over.extend(seat.members.drain());
            }
        }
        for (channel, client) in over {
            self.shared.broker.leave(&channel, client).await.unwrap();
        }
    }
}

impl Drop for AtNode {
    fn drop(&mut self) {
        if self.at.get().is_some() {
            self.with(|seat| seat.gone = Some(Instant::now()));
        }
    }
}

impl BrokerWrapper for AtNode {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.shared.broker
    }

    fn start(&self, node: Node) {
        let hall = self.shared.hall.get_or_init(|| {
            let hall = Arc::new(Hall {
                seats: Mutex::default(),
                wrong: Some(self.shared.wrong),
            });
            self.shared.broker.start(Node::new(7, &hall));
            hall
        });
        let mut seats = hall.seats.lock().unwrap();
        self.at.set(seats.len()).unwrap();
        seats.push(Seat {
            node,
            subscribed: HashSet::new(),
            members: HashSet::new(),
            gone: None,
        });
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        if self.shared.wrong == Wrong::TakesItsTimeBeforeItPublishes {
            tokio::task::yield_now().await;
        }
        self.shared.broker.publish(channel, keep, publication).await
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        let _turn = self.shared.turn.lock().await;
        // First: everything behind the position has to come.
        self.with(|seat| seat.subscribed.insert(channel.clone()));
        self.shared.broker.subscribe(channel, keep).await
    }

    async fn unsubscribe(&self, channel: &ChannelName) -> Result<(), BrokerError> {
        let _turn = self.shared.turn.lock().await;
        let all = self.shared.wrong == Wrong::UnsubscribesForAll;
        let at = *self.at.get().unwrap();
        let others = {
            let mut seats = self.shared.hall.get().unwrap().seats.lock().unwrap();
            for (_, seat) in seats
                .iter_mut()
                .enumerate()
                .filter(|(seat, _)| all || *seat == at)
            {
                seat.subscribed.remove(channel);
            }
            seats.iter().any(|seat| seat.subscribed.contains(channel))
        };
        if others {
            return Ok(());
        }
        self.shared.broker.unsubscribe(channel).await
    }

    async fn join(&self, channel: &ChannelName, member: Member) -> Result<MemberChange, BrokerError> {
        let client = member.client;
        let change = self.shared.broker.join(channel, member).await?;
        self.with(|seat| seat.members.insert((channel.clone(), client)));
        Ok(change)
    }

    async fn leave(&self, channel: &ChannelName, client: ClientId) -> Result<MemberChange, BrokerError> {
        self.let_go().await;
        self.with(|seat| seat.members.remove(&(channel.clone(), client)));
        self.shared.broker.leave(channel, client).await
    }

    async fn members(&self, channel: &ChannelName, query: &MembersQuery) -> Result<Members, BrokerError> {
        self.let_go().await;
        self.shared.broker.members(channel, query).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_broker_of_two_nodes_conforms() {
    conforms(TWO, async |_| two(Wrong::Nothing)).await;
}

#[test]
fn what_only_a_broker_can_have_wrong_that_waits_or_has_several_nodes_is_noticed() {
    let wrongs = [
        (Wrong::DeliversToTheFirstAlone, "is delivered: `last` is not"),
        (
            Wrong::DeliversTwiceToTheSecond,
            "events have offsets without gaps within an epoch, each once",
        ),
        (Wrong::UnsubscribesForAll, "is delivered: `last` is not"),
        (Wrong::SendsToTheFirstAlone, "what was sent is delivered"),
        (
            Wrong::KeepsMembersOfNodesThatAreGone,
            "a member is there until its node is gone for longer than MEMBER_TIME",
        ),
        (Wrong::HasAHistoryForEachNode, "an epoch is every node's"),
        (
            Wrong::TakesItsTimeBeforeItPublishes,
            "what was polled first is there first",
        ),
    ];
    is_each_noticed(TWO, &wrongs, two);
}
