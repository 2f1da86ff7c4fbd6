//! The in-process broker where the contract leaves it free: what it lets go of, and when. The contract itself is tested by
//! `tests/broker-conformance`.

mod bounds;

use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

use super::{
    topic::{EVENT, TOPIC},
    *,
};
use crate::hub::broker::{Origin, Receiver};

const KEEP: Retention = Retention::of(10, Duration::from_secs(60));

/// What a node was given.
#[derive(Debug, Default)]
struct Given(Mutex<Vec<Arc<Published>>>);

impl Receiver for Given {
    fn deliver(&self, _: &ChannelName, event: &Arc<Published>) -> usize {
        self.0.lock().unwrap().push(event.clone());
        1
    }

    fn deliver_to(&self, _: &Address, event: &Arc<Published>) -> usize {
        self.0.lock().unwrap().push(event.clone());
        1
    }
}

fn started(broker: LocalBroker) -> (LocalBroker, Arc<Given>) {
    let given = Arc::<Given>::default();
    broker.start(Node::new(1, &given));
    (broker, given)
}

fn name(name: impl AsRef<str>) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn text(text: &str) -> Publication {
    Publication {
        type_name: "test.Text".into(),
        body: Bytes::copy_from_slice(text.as_bytes()),
        id: None,
        key: None,
        origin: Origin::Server,
        time: SystemTime::now(),
        publisher: None,
        except: Arc::default(),
    }
}

/// What `text` counts for.
const TEXT: usize = EVENT + "test.Text".len() + 4;

fn member(client: &str) -> Member {
    Member {
        client: format!("{client:0>32}").parse().unwrap(),
        user: None,
        since: SystemTime::now(),
        data: None,
    }
}

async fn position(broker: &LocalBroker, channel: &ChannelName) -> Position {
    let query = HistoryQuery::default();
    broker.history(channel, &KEEP, &query).await.unwrap().position
}

#[tokio::test(start_paused = true)]
async fn channels_that_were_used_once_take_no_memory_once_their_time_is_over() {
    let (broker, _given) = started(LocalBroker::default());
    for number in 0..20_000 {
        let channel = name(format!("room:{number}"));
        broker.publish(&channel, &KEEP, text("once")).await.unwrap();
    }
    assert_eq!(broker.shelf.room.channels(), 20_000);
    let names: usize = (0..20_000).map(|number| format!("room:{number}").len()).sum();
    assert_eq!(broker.shelf.room.weight(), 20_000 * (TOPIC + TEXT) + names);
    // Their looks come first, then their ends.
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(61)).await;
        // All in one channel: the others' parts of the list are looked at all the same.
        for _ in 0..20_000 {
            broker.publish(&name("hot"), &KEEP, text("more")).await.unwrap();
        }
    }
    let left = broker.shelf.room.channels();
    assert!(left <= 1_001, "{left}");
    assert!(
        broker.shelf.room.weight() <= 1_001 * (TOPIC + TEXT + 10) + 10 * TEXT,
        "{}",
        broker.shelf.room.weight()
    );
}

#[tokio::test(start_paused = true)]
async fn a_channel_is_remembered_for_as_long_as_its_events_are_kept_and_then_begins_another_epoch() {
    let (broker, _given) = started(LocalBroker::default());
    let channel = name("room:1");
    broker.publish(&channel, &KEEP, text("one")).await.unwrap();
    let first = position(&broker, &channel).await;
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(position(&broker, &channel).await, first);
    // The history has expired, and nobody is there.
    tokio::time::advance(Duration::from_secs(1)).await;
    let second = position(&broker, &channel).await;
    assert_eq!(second.offset, 0);
    assert_ne!(second.epoch, first.epoch);
    // Whoever comes back with the old position is not told that nothing was missed.
    broker.publish(&channel, &KEEP, text("two")).await.unwrap();
    for offset in [0, 1, 2] {
        let query = HistoryQuery {
            after: Some(Position { offset, ..first }),
            limit: 10,
            ..HistoryQuery::default()
        };
        let history = broker.history(&channel, &KEEP, &query).await.unwrap();
        assert!(!history.complete && history.events.is_empty(), "{offset}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_goes_on_while_the_node_has_subscribed_or_somebody_is_in_it_and_for_a_while_after_that() {
    let (broker, _given) = started(LocalBroker::default());
    let channel = name("room:1");
    let first = broker.subscribe(&channel, &KEEP).await.unwrap();
    tokio::time::advance(Duration::from_secs(10_000)).await;
    assert_eq!(position(&broker, &channel).await, first);
    let ali = member("a");
    broker.join(&channel, ali.clone()).await.unwrap();
    broker.unsubscribe(&channel).await.unwrap();
    tokio::time::advance(Duration::from_secs(10_000)).await;
    assert_eq!(position(&broker, &channel).await, first);
    broker.leave(&channel, ali.client).await.unwrap();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(position(&broker, &channel).await, first);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_ne!(position(&broker, &channel).await, first);
}

#[tokio::test]
async fn a_channel_that_only_had_members_goes_with_the_last_of_them() {
    let (broker, _given) = started(LocalBroker::default());
    let channel = name("room:1");
    for client in ["a", "b"] {
        broker.join(&channel, member(client)).await.unwrap();
    }
    broker.leave(&channel, member("a").client).await.unwrap();
    assert_eq!(broker.shelf.room.channels(), 1);
    broker.leave(&channel, member("b").client).await.unwrap();
    assert_eq!(broker.shelf.room.channels(), 0);
}

#[tokio::test(start_paused = true)]
async fn channels_that_were_only_looked_at_give_way_to_those_that_are_used() {
    let (broker, _given) = started(LocalBroker::default().most_channels(100));
    let kept = broker.subscribe(&name("subscribed"), &KEEP).await.unwrap();
    broker
        .publish(&name("published"), &KEEP, text("text"))
        .await
        .unwrap();
    broker.join(&name("joined"), member("a")).await.unwrap();
    // Whoever may read or subscribe names channels without end.
    for number in 0..5_000 {
        let channel = name(format!("room:{number}"));
        if number % 2 == 0 {
            position(&broker, &channel).await;
        } else {
            broker.subscribe(&channel, &KEEP).await.unwrap();
            broker.unsubscribe(&channel).await.unwrap();
        }
    }
    assert_eq!(broker.shelf.room.channels(), 100);
    for number in 0..97 {
        let channel = name(format!("new:{number}"));
        broker.publish(&channel, &KEEP, text("text")).await.unwrap();
    }
    let refused = broker.publish(&name("new:97"), &KEEP, text("text")).await;
    assert!(matches!(refused, Err(BrokerError::Full(_))), "{refused:?}");
    assert_eq!(position(&broker, &name("subscribed")).await, kept);
    assert_eq!(position(&broker, &name("published")).await.offset, 1);
    let everybody = MembersQuery {
        after: None,
        limit: 9,
    };
    assert_eq!(
        broker.members(&name("joined"), &everybody).await.unwrap().clients,
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_of_idle_channels_does_not_grow_beyond_the_channels() {
    let (broker, _given) = started(LocalBroker::default());
    let keep = Retention::of(10, Duration::from_secs(1));
    let channel = name("room:1");
    for _ in 0..1_000 {
        broker.subscribe(&channel, &keep).await.unwrap();
        broker.unsubscribe(&channel).await.unwrap();
        tokio::time::advance(Duration::from_secs(3)).await;
    }
    let idle = broker.shelf.idle();
    assert!(idle <= 70, "{idle}");
}

#[tokio::test]
async fn history_keeps_nothing_of_the_message_that_an_event_came_in_but_the_event() {
    let (broker, given) = started(LocalBroker::default());
    let message = Bytes::from(vec![7; 1 << 20]);
    let publication = Publication {
        body: message.slice(100..200),
        ..text("")
    };
    broker.publish(&name("room:1"), &KEEP, publication).await.unwrap();
    assert!(message.is_unique());
    assert_eq!(given.0.lock().unwrap()[0].publication.body, [7; 100].as_slice());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_remembered_for_as_long_as_its_event_is() {
    let (broker, given) = started(LocalBroker::default());
    let channel = name("room:1");
    let keyed = |key: &str| Publication {
        key: Some(key.into()),
        ..text("text")
    };
    let publish = async |key: &str| broker.publish(&channel, &KEEP, keyed(key)).await.unwrap();
    assert!(!publish("first").await.duplicate);
    for number in 0..9 {
        publish(&number.to_string()).await;
    }
    assert!(publish("first").await.duplicate);
    publish("tenth").await;
    // Ten events are kept: the first is none of them any more.
    let again = publish("first").await;
    assert!(!again.duplicate);
    assert_eq!(again.position.unwrap().offset, 12);
    assert_eq!(given.0.lock().unwrap().len(), 12);
}

#[tokio::test]
async fn without_a_node_nothing_is_published() {
    let broker = LocalBroker::default();
    for keep in [KEEP, Retention::NONE] {
        let refused = broker.publish(&name("room:1"), &keep, text("text")).await;
        assert!(matches!(refused, Err(BrokerError::Unavailable(_))), "{refused:?}");
    }
    assert_eq!(broker.shelf.room.channels(), 0);
}
