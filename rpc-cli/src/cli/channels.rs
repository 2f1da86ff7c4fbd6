//! Options of the commands that hear channels and publish to them.

use std::time::Duration;

use clap::Args;
use rpc_runtime::hub::Position;

use super::SHORT;
use super::server::{OutputArgs, ServerArgs, duration};

const SUBSCRIBE: &str = "\
Examples, with a server that has such channels:
  rpc subscribe room:kitchen room:garden             until Ctrl-C
  rpc subscribe room:kitchen --last 20               what was said before comes first
  rpc subscribe room:kitchen --json | jq -c .event   the events alone, for programs
  rpc subscribe room:kitchen --since 5f0c2b1a9d3e4870-17
  rpc subscribe room:kitchen --count 1 --for 30s     waits for one; exit code 4 where none comes
  rpc subscribe --direct --token \"$TOKEN\"            what is sent to this user

Each line has the time, the channel, the type, who published it where subscribers are told, and the event. With --json it is one
JSON object: channel, type, offset and epoch (where the channel keeps events), id, time, kind (live, recovered, snapshot),
publisher, and event; or body, in base64, where the event's type is not known here.

A lost connection comes back by itself, and what was published meanwhile comes then, as `recovered`. What cannot be had any more
is a gap: said beside the events, and with --json a line of its own, {\"channel\": …, \"gap\": {…}}, where the events are missing.";

const PUBLISH: &str = "\
Examples, the first with `cargo run -p chat`:
  rpc publish typing:kitchen chat.Typing --token \"$TOKEN\"
  rpc publish alerts Alert '{\"text\": \"tea is ready\"}'     as much of the type's name as is unambiguous
  rpc publish alerts Alert @alert.json               from a file
  rpc publish alerts Alert - < alerts.jsonl          one event for each line, as soon as it is read
  rpc publish alerts Alert - --key 'import-7-{}' < alerts.jsonl

What is printed for each is the receipt: the event's id, where the channel keeps events its offset and epoch, how many clients
have it where that is told, and whether an event with its key was there before.

The first event that is refused ends the command; those before it are published. With --key the whole may be said again.";

/// What is heard.
#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = SUBSCRIBE)]
pub(crate) struct SubscribeArgs {
    /// Such as room:kitchen; several are heard at once
    #[arg(value_name = "CHANNEL", required_unless_present = "direct")]
    pub(crate) channels: Vec<String>,
    /// Hears as well what is sent to this client, to its user, or to all
    #[arg(long)]
    pub(crate) direct: bool,
    /// Goes on behind this position of the channel: its epoch and offset, as they stand in an event's id
    #[arg(long, value_name = "EPOCH-OFFSET", conflicts_with = "last")]
    pub(crate) since: Option<Position>,
    /// Begins with so many of the events that each channel keeps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) last: Option<u32>,
    /// Ends after so many events
    #[arg(short = 'n', long, alias = "limit", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Ends when it has heard the channels for this long: 500ms, 5s, 2m. Where --count asks for more events than have come by then,
    /// with exit code 4
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What is published.
#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = PUBLISH)]
pub(crate) struct PublishArgs {
    /// Such as room:kitchen
    #[arg(value_name = "CHANNEL")]
    pub(crate) channel: String,
    /// The event's type, such as chat.Typing, or as much of its end as is unambiguous
    #[arg(value_name = "TYPE")]
    pub(crate) event: String,
    /// The event, as JSON; several JSON values are several events. @FILE, or - for the standard input, one event for each line
    #[arg(value_name = "JSON", default_value = "{}")]
    pub(crate) data: String,
    /// An idempotency key: published again with the same key, it is stored and delivered once. {} in it stands for the event's
    /// number, which keys of several events have to have
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
