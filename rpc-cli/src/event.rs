//! How an event of a channel is shown.

use std::time::SystemTime;

use prost_reflect::prost_types::Timestamp;
use rpc_runtime::hub::Position;
use rpc_runtime::hub::client::{AnyEvent, Gap, GapCause, Received, ReceivedKind};
use serde_json::{Map, Value, json};

use crate::output::{self, HEAD, NAME, QUIET, one_line};

/// An event for people: one line. Without JSON for it, its body is shown as it is.
pub(crate) fn text(received: &Received<AnyEvent>, event: Option<Value>) -> String {
    let (time, channel) = (time_text(received.time), channel_text(&received.channel));
    let by = received.user.as_deref().or(received.client.as_deref());
    let by = by.map_or_else(String::new, |by| format!(" by {}", one_line(by)));
    let how = match received.kind {
        ReceivedKind::Live => String::new(),
        how => format!(" ({how})"),
    };
    let event = event.unwrap_or_else(|| base64(received));
    format!(
        "{QUIET}{time}{QUIET:#} {HEAD}{channel}{HEAD:#} {NAME}{}{NAME:#}{QUIET}{by}{how}{QUIET:#} {}",
        one_line(&received.event.type_name),
        output::coloured(&event)
    )
}

/// An event for programs.
pub(crate) fn json(received: &Received<AnyEvent>, event: Option<Value>) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("channel", json!(received.channel));
    put("type", json!(received.event.type_name));
    if let Some(position) = received.position {
        put("offset", offset_json(position));
        put("epoch", epoch_json(position));
    }
    put("id", json!(received.id));
    put("time", json!(time_text(received.time)));
    put("kind", json!(received.kind.to_string()));
    if received.client.is_some() || received.user.is_some() {
        put(
            "publisher",
            json!({"client": received.client, "user": received.user}),
        );
    }
    match event {
        Some(event) => put("event", event),
        None => put("body", base64(received)),
    }
    Value::Object(fields)
}

/// Events that are missing, for programs.
pub(crate) fn gap_json(channel: &str, gap: Gap) -> Value {
    let cause = match gap.cause {
        GapCause::NotRecovered => "not recovered",
        GapCause::NoHistory => "no history",
        GapCause::NotRead => "not read",
        _ => "unknown",
    };
    json!({
        "channel": channel,
        "gap": {
            "cause": cause,
            "missed": gap.missed,
            "after": gap.last.map(|position| position.to_string()),
            "before": gap.next.map(|position| position.to_string()),
        },
    })
}

/// An offset as protobuf's JSON has numbers of 64 bits: as text.
pub(crate) fn offset_json(position: Position) -> Value {
    json!(position.offset.to_string())
}

/// An epoch as ids of events have it.
pub(crate) fn epoch_json(position: Position) -> Value {
    json!(format!("{:016x}", position.epoch))
}

fn base64(received: &Received<AnyEvent>) -> Value {
    json!(data_encoding::BASE64.encode(&received.event.body))
}

fn channel_text(channel: &str) -> String {
    match channel {
        "" => "(sent)".to_owned(),
        channel => one_line(channel),
    }
}

/// A time as RFC 3339 has it.
fn time_text(time: SystemTime) -> String {
    Timestamp::from(time).to_string()
}
