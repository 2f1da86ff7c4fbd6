//! What each thing that a call may pass on its way costs a server: who calls, guards, rates, metrics, spans. Each server is this
//! project's, loaded by the floor's client.

mod server;

use crate::child::Server;
use crate::load::{Measured, measure};
use crate::options::Options;
use crate::peers::rpc_raw::{ADD_TASK, RawClient};
use crate::results::{Results, Row};
use crate::shape::{MANY, Shape};
use clap::ValueEnum;
use rpc_bench_measure::Placement;
use rpc_protocol::method_number;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::runtime::Runtime;

/// What everything together may add, in microseconds, at [`MANY`].
const TARGET_US: f64 = 0.35;

/// One row of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Extra {
    /// What the others are compared with.
    Nothing,
    /// The same once more: what it differs by is the machine's doing.
    Again,
    /// A method for clients that are known, who have shown a token in the handshake.
    Authentication,
    /// Two guards that answer at once.
    Guards,
    /// A rate of each session, never reached.
    Rate,
    /// Metrics of calls, in Prometheus' recorder.
    Metrics,
    /// Spans are there and somebody collects events, but no spans.
    SpanDisabled,
    /// All of these.
    All,
    /// All of these, and every span is collected.
    SpanEnabled,
}

impl Extra {
    const ALL: [Self; 9] = [
        Self::Nothing,
        Self::Again,
        Self::Authentication,
        Self::Guards,
        Self::Rate,
        Self::Metrics,
        Self::SpanDisabled,
        Self::All,
        Self::SpanEnabled,
    ];

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Again => "again",
            Self::Authentication => "authentication",
            Self::Guards => "guards",
            Self::Rate => "rate",
            Self::Metrics => "metrics",
            Self::SpanDisabled => "span-disabled",
            Self::All => "all",
            Self::SpanEnabled => "span-enabled",
        }
    }

    /// Measures the server that has it.
    pub(crate) fn measure(
        self,
        runtime: &Runtime,
        addr: SocketAddr,
        server: u32,
        shape: Shape,
        warm_up: Duration,
        window: Duration,
    ) -> Result<Measured, String> {
        const KNOWN: u64 = method_number("known.TaskService/AddTask");
        const GUARDED: u64 = method_number("guarded.TaskService/AddTask");
        const FULL: u64 = method_number("full.TaskService/AddTask");
        runtime.block_on(async {
            match self {
                Self::Nothing | Self::Again | Self::Rate | Self::Metrics | Self::SpanDisabled => {
                    measure::<RawClient<ADD_TASK>>(addr, server, shape, warm_up, window).await
                }
                Self::Authentication => {
                    measure::<RawClient<KNOWN>>(addr, server, shape, warm_up, window).await
                }
                Self::Guards => measure::<RawClient<GUARDED>>(addr, server, shape, warm_up, window).await,
                Self::All | Self::SpanEnabled => {
                    measure::<RawClient<FULL>>(addr, server, shape, warm_up, window).await
                }
            }
        })
    }
}

impl Row for Extra {
    fn title(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Again => "nothing, once more",
            Self::Authentication => "authentication",
            Self::Guards => "two guards",
            Self::Rate => "a rate of each session",
            Self::Metrics => "metrics",
            Self::SpanDisabled => "a span, disabled",
            Self::All => "all of these",
            Self::SpanEnabled => "all of these, the span enabled",
        }
    }
}

/// Measures and prints the tables.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut all: Vec<Results<Extra, Shape>> = options
        .placements_or(&[Placement::Together])
        .into_iter()
        .map(|placement| Results::new(placement, Extra::ALL.to_vec(), vec![MANY]))
        .collect();
    let rounds = options.rounds();
    for round in 0..rounds {
        for results in &mut all {
            results.measure(round, |extra, shape, placement| {
                Server::start_extra(extra, placement, options)?.load_extra(extra, shape, options)
            })?;
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    for results in &all {
        println!("\n# Server and client {}\n", results.placement.name());
        results.print_table(
            "Server CPU per call (microseconds)",
            3,
            |_| true,
            Measured::server_us,
        );
        results.print_ratios(
            "Of that of a call with nothing",
            Extra::Nothing,
            |_| true,
            Measured::server_us,
        );
        print_differences(results);
    }
    Ok(())
}

fn print_differences(results: &Results<Extra, Shape>) {
    println!("\n## What it adds to a call (microseconds): median of the rounds (least to most)\n");
    println!("| {} | {} |\n|---|---:|", results.placement.name(), MANY.name);
    let added = |extra| results.difference(extra, Extra::Nothing, MANY, Measured::server_us);
    for extra in Extra::ALL.into_iter().filter(|extra| *extra != Extra::Nothing) {
        if let Some(added) = added(extra) {
            let (title, median, least, most) = (extra.title(), added.median, added.least, added.most);
            println!("| {title} | {median:.3} ({least:.3} to {most:.3}) |");
        }
    }
    if let Some(all) = added(Extra::All) {
        let verdict = if all.median <= TARGET_US {
            "reached"
        } else {
            "missed"
        };
        println!(
            "\nAll of these add {:.3}, and may add {TARGET_US}: {verdict}.",
            all.median
        );
    }
}
