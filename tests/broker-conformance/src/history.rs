//! What history gives for what is asked.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use rpc_runtime::hub::{Broker, HistoryQuery, Position, Retention, broker::Published};

use crate::cluster::{Cluster, NodeUnderTest, assert_without_gaps, channel, text};

const KEEP: Retention = Retention::of(100, Duration::from_secs(600));

/// So many events are in it.
const EVENTS: u64 = 12;

/// Everything in this module.
pub async fn all<B: Broker>(cluster: &Cluster<B>) {
    every_query_gives_what_was_asked_for_and_says_what_is_missing(cluster).await;
    a_position_that_nobody_knows_is_never_complete(cluster).await;
    a_channel_in_which_nothing_was_published_has_a_position_and_no_events(cluster).await;
    what_was_acknowledged_is_in_history_at_once(cluster).await;
}

fn time(second: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second)
}

/// A channel with events 1 to 12, of which each was published in the second of its number.
async fn filled<B: Broker>(node: &NodeUnderTest<B>, keep: &Retention) -> rpc_runtime::hub::ChannelName {
    let name = channel("history");
    for number in 1..=EVENTS {
        let mut event = text(&number.to_string());
        event.time = time(number);
        node.publish(&name, keep, event).await;
    }
    name
}

/// All combinations of what can be asked for, against the sentence that each stands for.
pub async fn every_query_gives_what_was_asked_for_and_says_what_is_missing<B: Broker>(cluster: &Cluster<B>) {
    let node = cluster.first();
    for kept in [EVENTS, 5] {
        let keep = Retention {
            events: usize::try_from(kept).unwrap_or(usize::MAX),
            ..KEEP
        };
        let name = filled(node, &keep).await;
        let now = node.all(&name, &keep).await.position;
        assert_eq!(now.offset, EVENTS);
        let oldest = EVENTS - kept + 1;
        for after in [None, Some(0), Some(4), Some(7), Some(8), Some(EVENTS)] {
            for before in [None, Some(0), Some(1), Some(10), Some(EVENTS + 9)] {
                for (since, until) in [
                    (None, None),
                    (Some(3), None),
                    (None, Some(9)),
                    (Some(10), Some(12)),
                    (Some(9), Some(3)),
                ] {
                    for limit in [0, 1, 3, 100] {
                        for newest_first in [false, true] {
                            let query = HistoryQuery {
                                after: after.map(|offset| Position { offset, ..now }),
                                before,
                                since: since.map(time),
                                until: until.map(time),
                                limit,
                                newest_first,
                            };
                            let history = node.history(&name, &keep, query).await;
                            let mut expected: Vec<u64> = (oldest..=EVENTS)
                                .filter(|offset| {
                                    after.is_none_or(|after| *offset > after)
                                        && before.is_none_or(|before| *offset < before)
                                        && since.is_none_or(|since| *offset >= since)
                                        && until.is_none_or(|until| *offset < until)
                                })
                                .collect();
                            if newest_first {
                                expected.reverse();
                            }
                            let more = expected.len() > limit;
                            expected.truncate(limit);
                            assert_eq!(
                                offsets(&history.events),
                                expected,
                                "{query:?} of {oldest} to {EVENTS}"
                            );
                            assert_eq!(history.more, more, "there are more: {query:?}");
                            let complete = after.is_none_or(|after| after + 1 >= oldest);
                            assert_eq!(history.complete, complete, "none is missing behind it: {query:?}");
                            assert_eq!(history.position, now, "{query:?}");
                        }
                    }
                }
            }
        }
    }
}

fn offsets(events: &[Arc<Published>]) -> Vec<u64> {
    events.iter().map(|event| event.position.offset).collect()
}

/// Forged ones, those of the future, and those of another channel.
pub async fn a_position_that_nobody_knows_is_never_complete<B: Broker>(cluster: &Cluster<B>) {
    let node = cluster.first();
    let name = filled(node, &KEEP).await;
    let other = filled(node, &KEEP).await;
    let now = node.all(&name, &KEEP).await.position;
    let of_other = node.all(&other, &KEEP).await.position;
    assert_ne!(now.epoch, of_other.epoch, "an epoch names one history");
    let forged = [
        (now.epoch, EVENTS + 1),
        (now.epoch, u64::MAX),
        (now.epoch ^ 1, 3),
        (0, 0),
        (u64::MAX, u64::MAX),
        (of_other.epoch, 3),
    ];
    for (epoch, offset) in forged {
        let query = HistoryQuery {
            after: Some(Position { epoch, offset }),
            limit: 100,
            ..HistoryQuery::default()
        };
        let history = node.history(&name, &KEEP, query).await;
        assert!(!history.complete, "({epoch:x}, {offset}) is known to nobody");
        assert_eq!(history.position, now);
    }
}

/// And is complete behind it.
pub async fn a_channel_in_which_nothing_was_published_has_a_position_and_no_events<B: Broker>(
    cluster: &Cluster<B>,
) {
    let node = cluster.first();
    let name = channel("empty");
    let position = node.subscribe(&name, &KEEP).await;
    let query = HistoryQuery {
        after: Some(position),
        limit: 10,
        ..HistoryQuery::default()
    };
    let history = node.history(&name, &KEEP, query).await;
    assert!(history.complete && !history.more && history.events.is_empty());
    assert_eq!(history.position, position);
}

/// On every node, as what subscribing gave is.
pub async fn what_was_acknowledged_is_in_history_at_once<B: Broker>(cluster: &Cluster<B>) {
    let name = channel("at-once");
    for round in 0..20 {
        for publisher in &cluster.nodes {
            let receipt = publisher.publish(&name, &KEEP, text(&round.to_string())).await;
            for reader in &cluster.nodes {
                let history = reader.all(&name, &KEEP).await;
                assert_eq!(
                    Some(history.position),
                    receipt.position,
                    "what was acknowledged is in history"
                );
                let start = Position {
                    offset: 0,
                    ..history.position
                };
                assert_without_gaps(&history.events, start);
                assert_eq!(history.events.len() as u64, history.position.offset);
                assert_eq!(Some(reader.subscribe(&name, &KEEP).await), receipt.position);
            }
        }
    }
}
