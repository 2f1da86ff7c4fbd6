//! What is recorded: every name, with its kind, unit and description. `docs/metrics.md` has the same list, which a test holds
//! to this one.

use metrics::{Recorder, Unit};

/// Gauge: sessions by `state`.
pub const SESSIONS: &str = "rpc_server_sessions";
/// Counter: connections that were made.
pub const CONNECTIONS: &str = "rpc_server_connections_total";
/// Counter: handshakes by `outcome`.
pub const HANDSHAKES: &str = "rpc_server_handshakes_total";
/// Counter: authentications by `source` and `outcome`.
pub const AUTHENTICATIONS: &str = "rpc_server_authentications_total";
/// Counter: closed connections by `code`, and by which side.
pub const CLOSES: &str = "rpc_server_closes_total";
/// Counter: clients that came back to a session, or tried to, by `outcome`.
pub const RESUMES: &str = "rpc_server_resumes_total";
/// Counter: calls by `method` and `code`.
pub const CALLS: &str = "rpc_server_calls_total";
/// Histogram: how long calls took, by `method`, in seconds.
pub const CALL_DURATION: &str = "rpc_server_call_duration_seconds";
/// Gauge: calls that have begun and have not ended.
pub const OPEN_CALLS: &str = "rpc_server_open_calls";
/// Counter: calls that were refused before their handler, by `reason`.
pub const REFUSED_CALLS: &str = "rpc_server_refused_calls_total";
/// Counter: one-way calls that failed.
pub const ONE_WAY_FAILURES: &str = "rpc_server_one_way_failures_total";
/// Counter: WebSocket messages that were received.
pub const RECEIVED_MESSAGES: &str = "rpc_server_received_messages_total";
/// Counter: WebSocket messages that were sent.
pub const SENT_MESSAGES: &str = "rpc_server_sent_messages_total";
/// Counter: bytes that were received.
pub const RECEIVED_BYTES: &str = "rpc_server_received_bytes_total";
/// Counter: bytes that were sent.
pub const SENT_BYTES: &str = "rpc_server_sent_bytes_total";
/// Gauge: bytes that wait for clients to open their windows.
pub const QUEUED_BYTES: &str = "rpc_server_queued_bytes";
/// Gauge: bytes that wait for sockets.
pub const UNFLUSHED_BYTES: &str = "rpc_server_unflushed_bytes";
/// Gauge: what the messages of clients' streams take in memory that handlers have not let go of.
pub const HELD_BYTES: &str = "rpc_server_held_bytes";
/// Counter: changes that were made, and whose event was not published.
pub const UNPUBLISHED_CHANGES: &str = "rpc_hub_unpublished_changes_total";

/// Counter: events that were published or sent on this node, by `namespace`.
pub const HUB_PUBLISHED: &str = "rpc_hub_published_total";
/// Counter: events that were put into clients' queues, by `namespace`.
pub const HUB_DELIVERED: &str = "rpc_hub_delivered_total";
/// Counter: events that were dropped for clients that are slow, by `namespace`.
pub const HUB_DROPPED: &str = "rpc_hub_dropped_total";
/// Counter: clients that came back with a position, by `namespace` and `outcome`.
pub const HUB_RECOVERIES: &str = "rpc_hub_recoveries_total";
/// Gauge: subscriptions, by `namespace`.
pub const HUB_SUBSCRIPTIONS: &str = "rpc_hub_subscriptions";
/// Gauge: bytes of events that wait in clients' queues.
pub const HUB_QUEUED_BYTES: &str = "rpc_hub_queued_bytes";

/// Upper bounds of buckets for [`CALL_DURATION`], in seconds: from a quarter of a millisecond to ten seconds, for exporters
/// that ask for some.
pub const DURATION_BUCKETS: [f64; 15] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One metric.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) description: &'static str,
}

const fn metric(name: &'static str, kind: Kind, unit: Unit, description: &'static str) -> Metric {
    Metric {
        name,
        kind,
        unit,
        description,
    }
}

/// Every metric there is.
pub(crate) const ALL: [Metric; 25] = [
    metric(SESSIONS, Kind::Gauge, Unit::Count, "Sessions by their state"),
    metric(
        CONNECTIONS,
        Kind::Counter,
        Unit::Count,
        "Connections that were made",
    ),
    metric(
        HANDSHAKES,
        Kind::Counter,
        Unit::Count,
        "Handshakes by what came of them",
    ),
    metric(
        AUTHENTICATIONS,
        Kind::Counter,
        Unit::Count,
        "Credentials that were looked at, by where they came from and what came of them",
    ),
    metric(
        CLOSES,
        Kind::Counter,
        Unit::Count,
        "Connections that ended, by close code and by the side that closed",
    ),
    metric(
        RESUMES,
        Kind::Counter,
        Unit::Count,
        "Clients that came back to a session, or tried to, by what came of it",
    ),
    metric(
        CALLS,
        Kind::Counter,
        Unit::Count,
        "Calls that ended, by method and status code",
    ),
    metric(
        CALL_DURATION,
        Kind::Histogram,
        Unit::Seconds,
        "How long calls took, by method, from when their request was read to when their end was written",
    ),
    metric(OPEN_CALLS, Kind::Gauge, Unit::Count, "Calls that wait or stream"),
    metric(
        REFUSED_CALLS,
        Kind::Counter,
        Unit::Count,
        "Calls that were refused before their handler, by reason",
    ),
    metric(
        ONE_WAY_FAILURES,
        Kind::Counter,
        Unit::Count,
        "One-way calls that failed",
    ),
    metric(
        RECEIVED_MESSAGES,
        Kind::Counter,
        Unit::Count,
        "WebSocket messages that were received, control frames included",
    ),
    metric(
        SENT_MESSAGES,
        Kind::Counter,
        Unit::Count,
        "Binary WebSocket messages that were written",
    ),
    metric(
        RECEIVED_BYTES,
        Kind::Counter,
        Unit::Bytes,
        "Bytes that were read from connections",
    ),
    metric(
        SENT_BYTES,
        Kind::Counter,
        Unit::Bytes,
        "Bytes that connections took",
    ),
    metric(
        QUEUED_BYTES,
        Kind::Gauge,
        Unit::Bytes,
        "Encoded answers that wait for clients to open their windows",
    ),
    metric(
        UNFLUSHED_BYTES,
        Kind::Gauge,
        Unit::Bytes,
        "Written bytes that wait for connections to take them",
    ),
    metric(
        HELD_BYTES,
        Kind::Gauge,
        Unit::Bytes,
        "What messages of clients' streams take in memory that handlers have and have not let go of",
    ),
    metric(
        UNPUBLISHED_CHANGES,
        Kind::Counter,
        Unit::Count,
        "Changes that calls of controllers made, and whose events were not published",
    ),
    metric(
        HUB_PUBLISHED,
        Kind::Counter,
        Unit::Count,
        "Events that were published or sent on this node",
    ),
    metric(
        HUB_DELIVERED,
        Kind::Counter,
        Unit::Count,
        "Events that were put into the queues of clients",
    ),
    metric(
        HUB_DROPPED,
        Kind::Counter,
        Unit::Count,
        "Events that were dropped for clients that are slow",
    ),
    metric(
        HUB_RECOVERIES,
        Kind::Counter,
        Unit::Count,
        "Clients that came back to a channel with a position, by what came of it",
    ),
    metric(
        HUB_SUBSCRIPTIONS,
        Kind::Gauge,
        Unit::Count,
        "Channels that clients hear, counted for each client",
    ),
    metric(
        HUB_QUEUED_BYTES,
        Kind::Gauge,
        Unit::Bytes,
        "Events that wait for clients to take them",
    ),
];

/// Tells a recorder what everything means.
pub(crate) fn describe(recorder: &dyn Recorder) {
    for metric in &ALL {
        let (name, unit, text) = (metric.name.into(), Some(metric.unit), metric.description.into());
        match metric.kind {
            Kind::Counter => recorder.describe_counter(name, unit, text),
            Kind::Gauge => recorder.describe_gauge(name, unit, text),
            Kind::Histogram => recorder.describe_histogram(name, unit, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_metric_with_its_kind_unit_and_meaning_and_no_other() {
        let page = include_str!("../../docs/metrics.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
            .collect();
        let wanted: Vec<_> = ALL
            .iter()
            .map(|metric| {
                [
                    format!("`{}`", metric.name),
                    format!("{:?}", metric.kind).to_lowercase(),
                    metric.unit.as_str().to_owned(),
                    metric.description.to_owned(),
                ]
            })
            .collect();
        let listed: Vec<_> = rows
            .iter()
            .map(|row| [row[0], row[1], row[2], row[4]].map(str::to_owned))
            .collect();
        assert_eq!(listed, wanted);
    }

    #[test]
    fn the_buckets_for_latencies_grow() {
        assert!(DURATION_BUCKETS.is_sorted_by(|a, b| a < b));
    }
}
