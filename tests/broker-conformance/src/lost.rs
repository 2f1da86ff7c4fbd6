//! Histories that are lost, in part or as a whole: nobody is told that nothing is missing, and none is taken for another.

use std::{sync::Arc, time::Duration};

use rpc_runtime::hub::{Broker, ChannelName, History, HistoryQuery, Position, Retention, broker::Published};

use crate::cluster::{Cluster, NodeUnderTest, body, channel, text};

const KEEP: Retention = Retention::of(100, Duration::from_secs(3));

/// So much longer than [`Retention::time`] is waited until nothing is kept.
const SLACK: Duration = Duration::from_secs(1);

/// Everything in this module. `make` gives the same broker as before, or one that knows nothing of it: as when its process began again.
pub async fn all<B: Broker>(nodes: usize, make: &impl AsyncFn(usize) -> Vec<B>) {
    let cluster = Cluster::start(make(nodes).await);
    what_time_has_taken_is_missing_behind_each_position_before_it(&cluster).await;
    a_channel_that_was_forgotten_goes_on_or_begins_another_history(&cluster).await;
    a_broker_that_begins_again_goes_on_or_begins_other_histories(cluster, make, nodes).await;
}

async fn after<B: Broker>(
    node: &NodeUnderTest<B>,
    name: &ChannelName,
    keep: &Retention,
    position: Position,
) -> History {
    let query = HistoryQuery {
        after: Some(position),
        limit: 100,
        ..HistoryQuery::default()
    };
    node.history(name, keep, query).await
}

/// Publishes, and gives where that is.
async fn publish<B: Broker>(
    node: &NodeUnderTest<B>,
    name: &ChannelName,
    keep: &Retention,
    what: &str,
) -> Position {
    let receipt = node.publish(name, keep, text(what)).await;
    match receipt.position {
        Some(position) => position,
        None => panic!("what is kept has a position"),
    }
}

fn texts(events: &[Arc<Published>]) -> Vec<String> {
    events.iter().map(|event| body(event)).collect()
}

/// While the node has subscribed, so that the history itself goes on; and also where nothing is left at all.
pub async fn what_time_has_taken_is_missing_behind_each_position_before_it<B: Broker>(cluster: &Cluster<B>) {
    let (node, name) = (cluster.first(), channel("taken"));
    let start = node.subscribe(&name, &KEEP).await;
    for what in ["one", "two", "three"] {
        publish(node, &name, &KEEP, what).await;
    }
    tokio::time::sleep(KEEP.time + SLACK).await;
    let behind = async |offset| after(node, &name, &KEEP, Position { offset, ..start }).await;
    for offset in 0..3 {
        let history = behind(offset).await;
        assert!(history.events.is_empty());
        assert!(
            !history.complete,
            "events are missing behind {offset}, where none is kept"
        );
    }
    assert!(behind(3).await.complete, "none is missing behind the last");
    publish(node, &name, &KEEP, "four").await;
    for offset in 0..3 {
        assert!(
            !behind(offset).await.complete,
            "events are missing behind {offset}"
        );
    }
    let history = behind(3).await;
    assert!(history.complete, "none is missing behind the last that is gone");
    assert_eq!(texts(&history.events), ["four"]);
}

/// Whichever it does, everybody can see it: by the epoch, and by what is complete.
pub async fn a_channel_that_was_forgotten_goes_on_or_begins_another_history<B: Broker>(cluster: &Cluster<B>) {
    let (node, name) = (cluster.first(), channel("forgotten"));
    let mut known = Vec::new();
    for what in ["one", "two", "three"] {
        known.push(publish(node, &name, &KEEP, what).await);
    }
    // Nobody has subscribed, and nobody is in it.
    tokio::time::sleep(KEEP.time + SLACK).await;
    let new = publish(node, &name, &KEEP, "new").await;
    let goes_on = new.epoch == known[0].epoch;
    let offset = if goes_on { 4 } else { 1 };
    assert_eq!(new.offset, offset, "where history was lost, a new epoch begins");
    for (index, position) in known.iter().enumerate() {
        let history = after(node, &name, &KEEP, *position).await;
        let is_all = goes_on && index == 2;
        assert_eq!(
            history.complete, is_all,
            "what was forgotten behind {position} is missing, and the history is {new}"
        );
        if is_all {
            assert_eq!(texts(&history.events), ["new"]);
        }
        assert_eq!(history.position, new);
    }
    assert_eq!(node.subscribe(&name, &KEEP).await, new);
}

/// Whoever comes back with a position from before is given what came after it, or is told that something is missing.
pub async fn a_broker_that_begins_again_goes_on_or_begins_other_histories<B: Broker>(
    before: Cluster<B>,
    make: &impl AsyncFn(usize) -> Vec<B>,
    nodes: usize,
) {
    let keep = Retention {
        time: Duration::from_secs(600),
        ..KEEP
    };
    let name = channel("again");
    let mut known = Vec::new();
    for what in ["one", "two", "three"] {
        known.push(publish(before.first(), &name, &keep, what).await);
    }
    drop(before);
    let cluster = Cluster::start(make(nodes).await);
    let node = cluster.first();
    let mut now = Position::default();
    for what in ["four", "five", "six", "seven"] {
        now = publish(node, &name, &keep, what).await;
    }
    let goes_on = now.epoch == known[0].epoch;
    let expected = if goes_on { 7 } else { 4 };
    assert_eq!(now.offset, expected, "an epoch names one history");
    for (index, position) in known.iter().enumerate() {
        let history = after(node, &name, &keep, *position).await;
        assert_eq!(
            history.complete, goes_on,
            "{position} is known where the history of then goes on, which is {now} now"
        );
        if goes_on {
            let all = ["one", "two", "three", "four", "five", "six", "seven"];
            assert_eq!(texts(&history.events), all[index + 1..]);
        }
        assert_eq!(history.position, now);
    }
}
