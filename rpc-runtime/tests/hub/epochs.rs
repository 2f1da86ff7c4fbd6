//! A broker of several nodes whose histories are lost under its subscribers: who is told which epoch, and when.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use rpc_runtime::{
    Code,
    hub::{
        Anyone, Broker, BrokerWrapper, ChannelName, History, HistoryQuery, Hub, LocalBroker, Namespace,
        Position, Receipt, Retention,
        broker::{Address, BrokerError, Node, Publication, Published, Receiver},
    },
};

use crate::common::{Peer, builder, said};

/// A broker that loses its history when it is told to, and begins another. What is delivered to the node may lag behind what history
/// says, as over a network.
struct Losing {
    broker: LocalBroker,
    lost: Arc<Lost>,
}

/// What a test has of it.
#[derive(Default)]
struct Lost {
    node: OnceLock<Node>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many histories are over.
    times: u64,
    /// How many events the present one does not have.
    before: u64,
    /// Deliveries that wait, while they do.
    held: Option<Vec<(ChannelName, Arc<Published>)>>,
}

impl Lost {
    /// Everything until now is lost, of which `events` had been published.
    fn lose(&self, events: u64) {
        let mut state = self.state.lock().unwrap();
        state.times += 1;
        state.before = events;
    }

    fn hold(&self) {
        self.state.lock().unwrap().held = Some(Vec::new());
    }

    /// Delivers what waits.
    fn release(&self) {
        let held = self.state.lock().unwrap().held.take().unwrap();
        for (channel, event) in held {
            self.node.get().unwrap().deliver(&channel, &event);
        }
    }

    /// A position as it is told.
    fn told(&self, position: Position) -> Position {
        let state = self.state.lock().unwrap();
        Position {
            epoch: position.epoch.wrapping_add(state.times),
            offset: position.offset - state.before,
        }
    }
}

impl Receiver for Lost {
    fn deliver(&self, channel: &ChannelName, event: &Arc<Published>) -> usize {
        let event = Arc::new(Published {
            position: self.told(event.position),
            publication: event.publication.clone(),
        });
        if let Some(held) = &mut self.state.lock().unwrap().held {
            held.push((channel.clone(), event));
            return 0;
        }
        self.node.get().unwrap().deliver(channel, &event)
    }

    fn deliver_to(&self, to: &Address, event: &Arc<Published>) -> usize {
        self.node.get().unwrap().deliver_to(to, event)
    }
}

impl BrokerWrapper for Losing {
    type Broker = LocalBroker;

    fn wrapped(&self) -> &LocalBroker {
        &self.broker
    }

    fn start(&self, node: Node) {
        assert!(self.lost.node.set(node).is_ok());
        self.broker.start(Node::new(7, &self.lost));
    }

    async fn publish(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        publication: Publication,
    ) -> Result<Receipt, BrokerError> {
        let receipt = self.broker.publish(channel, keep, publication).await?;
        let position = receipt.position.map(|position| self.lost.told(position));
        Ok(Receipt::new(receipt.id, position, receipt.reached))
    }

    async fn subscribe(&self, channel: &ChannelName, keep: &Retention) -> Result<Position, BrokerError> {
        let position = self.broker.subscribe(channel, keep).await?;
        Ok(self.lost.told(position))
    }

    async fn history(
        &self,
        channel: &ChannelName,
        keep: &Retention,
        query: &HistoryQuery,
    ) -> Result<History, BrokerError> {
        let all = HistoryQuery {
            limit: usize::MAX,
            ..HistoryQuery::default()
        };
        let mut history = self.broker.history(channel, keep, &all).await?;
        history.position = self.lost.told(history.position);
        let before = self.lost.state.lock().unwrap().before;
        history.events.retain(|event| event.position.offset > before);
        for event in &mut history.events {
            *event = Arc::new(Published {
                position: self.lost.told(event.position),
                publication: event.publication.clone(),
            });
        }
        if let Some(after) = query.after {
            history.complete = after.epoch == history.position.epoch;
            let is_asked = |event: &Arc<Published>| history.complete && event.position.offset > after.offset;
            history.events.retain(is_asked);
        }
        Ok(history)
    }
}

fn rooms() -> (Hub, Arc<Lost>) {
    let lost = Arc::<Lost>::default();
    let broker = Losing {
        broker: LocalBroker::default(),
        lost: lost.clone(),
    };
    let rooms = Namespace::<(u64,)>::new("room:{id}")
        .subscribe(Anyone)
        .keep(Retention::of(100, Duration::from_secs(3_600)));
    let hub = Hub::builder().namespace(rooms).broker(broker).build().unwrap();
    (hub, lost)
}

async fn publish(hub: &Hub, events: usize) {
    for _ in 0..events {
        hub.channel("room:1").publish(&said("x")).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn events_say_their_epoch_once_it_is_another_than_was_told_with_the_subscription() {
    let (hub, lost) = rooms();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let first = ali.subscribe("room:1").await.position.unwrap();
    publish(&hub, 2).await;
    for offset in 1..=2 {
        let event = ali.event().await;
        assert_eq!((event.epoch, event.offset), (0, offset), "as was told");
    }
    lost.lose(2);
    publish(&hub, 1).await;
    let event = ali.event().await;
    assert_eq!((event.epoch, event.offset), (first.epoch + 1, 1));
    // Those who come now are told the same, and what frames say is what they were told.
    let mut bea = Peer::connect(&server).await;
    let answer = bea.recover("room:1", first).await;
    assert_eq!(
        (answer.recovered, answer.position),
        (
            Some(false),
            Some(rpc_runtime::services::hub::ChannelPosition {
                epoch: first.epoch + 1,
                offset: 1
            })
        )
    );
    publish(&hub, 1).await;
    for peer in [&mut ali, &mut bea] {
        let event = peer.event().await;
        assert_eq!((event.epoch, event.offset), (first.epoch + 1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_again_is_told_of_which_history_the_frames_are_that_tell_none() {
    let (hub, lost) = rooms();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let answer = ali.subscribe("room:1").await;
    let first = answer.position.unwrap();
    assert_eq!(answer.frames_epoch, None, "they are of the position's");
    for times in 1..=2 {
        // What was sent before may still be on its way to a client that has come back to its session.
        lost.lose(1);
        publish(&hub, 1).await;
        let answer = ali.recover("room:1", first).await;
        let epoch = answer.position.map(|position| position.epoch);
        assert_eq!(epoch, Some(first.epoch + times));
        assert_eq!(answer.frames_epoch, Some(first.epoch));
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_told_a_newer_epoch_than_what_still_arrives_is_told_which_one_that_is_of() {
    let (hub, lost) = rooms();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let first = ali.subscribe("room:1").await.position.unwrap();
    publish(&hub, 3).await;
    for _ in 0..3 {
        ali.event().await;
    }
    // The last of the old history is on its way to this node when the history is lost.
    lost.hold();
    publish(&hub, 1).await;
    lost.lose(4);
    let mut bea = Peer::connect(&server).await;
    let answer = bea.recover("room:1", first).await;
    assert_eq!(
        answer.position.map(|position| position.epoch),
        Some(first.epoch + 1)
    );
    lost.release();
    let event = bea.event().await;
    assert_eq!(
        (event.epoch, event.offset),
        (first.epoch, 4),
        "it is none of the epoch that bea was told"
    );
    publish(&hub, 1).await;
    let event = bea.event().await;
    assert_eq!((event.epoch, event.offset), (first.epoch + 1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_while_a_history_is_lost_misses_nothing_silently() {
    let (hub, lost) = rooms();
    let server = builder(&hub).build().unwrap();
    let mut ali = Peer::connect(&server).await;
    let first = ali.subscribe("room:1").await.position.unwrap();
    publish(&hub, 5).await;
    let mut bea = Peer::connect(&server).await;
    let answer = bea.recover("room:1", first).await;
    assert_eq!(answer.events.len(), 5);
    lost.lose(5);
    publish(&hub, 1).await;
    // Its offset is below all that bea was told of, and it is new all the same.
    let event = bea.event().await;
    assert_eq!((event.epoch, event.offset), (first.epoch + 1, 1));
    let known = rpc_runtime::services::hub::ChannelPosition {
        epoch: first.epoch + 1,
        offset: 1,
    };
    publish(&hub, 1).await;
    let answer = bea.recover("room:1", known).await;
    assert_eq!((answer.recovered, answer.events.len()), (Some(true), 1));
    assert_eq!(answer.refused.map(|refused| Code::from_i32(refused.code)), None);
}
