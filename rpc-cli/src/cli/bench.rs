//! Options of the command that measures calls.

use std::time::Duration;

use clap::Args;

use super::SHORT;
use super::server::{OutputArgs, ServerArgs, duration};

const BENCH: &str = "\
Examples:
  rpc bench ticker.TickerService/Quote '{\"symbol\": \"ACME\"}'
  rpc bench Quote @quote.json --connections 8 --concurrency 32 --for 30s
  rpc bench Quote @quote.json --rate 5000            does it hold 5,000 calls per second, and how long does each take?
  rpc bench Quote @quote.json -n 100000 --json | jq .latencyMicros.p99

The request is encoded once and sent again and again. Latencies are those of calls that succeeded, on this side: from when a call
is made to when its answer is here. Failures are counted by their statuses.

Without --rate the loop is closed: each call waits for the one before it. When the server stands still for a second, only the calls
in flight see that, and those that would have been made meanwhile are not in the figures (coordinated omission): percentiles say how
long calls take at the rate that comes about, not how long users of a given rate wait. With --rate calls are due at fixed times, and
each is measured from when it was due, also where it was made later since all that may be in flight were.

This program has one thread. How busy that was is said: near 100 % the rate is what this client can send, not what the server can take.

The exit code is 0 where all calls succeeded, else that of the status that most of the others ended with. Ctrl-C prints what was
measured so far.";

/// What is measured, and how.
#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = BENCH)]
pub(crate) struct BenchArgs {
    /// Such as task.TaskService/AddTask, or AddTask where that is unambiguous
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// The request as JSON, @FILE, or - for the standard input
    #[arg(value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// Connections to the server, which lets 20 of an address in at once where its limits do not say otherwise
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) connections: u32,
    /// Calls in flight on each connection; 100,000 at most over all
    #[arg(short, long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) concurrency: u32,
    /// Ends after so many calls
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Measures for this long: 500ms, 5s, 2m. 10s, unless --count says how many calls
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Calls for this long before anything is measured; 0 for not at all
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = warm_up)]
    pub(crate) warm_up: Duration,
    /// Makes so many calls per second, each at its time, instead of as many as are answered
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rate: Option<u32>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn warm_up(text: &str) -> Result<Duration, String> {
    match text {
        "0" | "0s" => Ok(Duration::ZERO),
        text => duration(text),
    }
}
