//! Recovery: subscribers that come back at one moment and have missed events. How long until all have them, and what that
//! costs the server; an event that is missing, or comes twice, ends the run.

use crate::listen::allow;
use crate::loaded::{Loaded, Server};
use crate::peers::Peer;
use clap::Args;
use rpc_bench_measure::{Placement, Side, Summary, say_json, text};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// Events that all have before they leave, and after they have come back.
const HEARD: u64 = 10;
/// What a server gets to notice that all have gone.
const SETTLE: Duration = Duration::from_millis(500);
/// What subscribers may take to end.
const GRACE: Duration = Duration::from_secs(20);

/// What is measured, how often.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How many subscribers come back at once.
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// Events that each has missed; at most 900, of which the channel keeps more.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=900))]
    missed: u64,
    /// How often they leave and come back.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the scheduler may put the two processes.
    #[arg(long, value_enum, default_value = "apart")]
    placement: Placement,
}

/// How subscribers are to leave and come back.
#[derive(Clone, Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    server: Loaded,
    #[command(flatten)]
    options: Options,
}

/// How all came back once.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Returned {
    /// Events that each had missed, and recovered.
    missed: u64,
    /// When the last one had all of them.
    seconds: f64,
    /// CPU time of the server until then.
    server_cpu_ns: u64,
}

/// Measures, and prints the table.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let subscribers = options.subscribers.to_string();
    let (missed, rounds) = (options.missed.to_string(), options.rounds.to_string());
    let placed = [
        "--subscribers",
        &subscribers,
        "--placement",
        options.placement.name(),
    ];
    let server = Server::start(Peer::HubKept, &placed)?;
    let load = ["come-back", "--missed", &missed, "--rounds", &rounds];
    let mut crowd = server.load(&[&load[..], &placed[..]].concat())?;
    let returned: Vec<Returned> = crowd.answer()?;
    crowd.finish(GRACE)?;
    print(options, &returned);
    Ok(())
}

/// The subscribers' process: prints each [`Returned`], those without and with missed events in turn.
pub(crate) fn come_back(load: &Load) -> Result<(), String> {
    let options = &load.options;
    options.placement.place(Side::Client)?;
    allow(options.subscribers)?;
    let cpu = load.server.cpu()?;
    let mut crowd = load.server.crowd(Peer::HubKept)?;
    crowd.connect(options.subscribers)?;
    crowd.publish(HEARD, 1)?;
    let mut returned = Vec::new();
    for _ in 0..options.rounds {
        for missed in [0, options.missed] {
            let away = crowd.leave();
            std::thread::sleep(SETTLE);
            crowd.publish_unheard(missed)?;
            let (before, began) = (cpu.now().map_err(text)?, Instant::now());
            crowd.come_back(&away)?;
            let seconds = began.elapsed().as_secs_f64();
            let spent = cpu.now().map_err(text)?.saturating_sub(before);
            for (number, subscriber) in crowd.subscribers().iter().enumerate() {
                let (recovered, last) = (subscriber.recovered() as u64, subscriber.last());
                if recovered != missed || last != crowd.allowed() {
                    return Err(format!(
                        "subscriber {number} recovered {recovered} of {missed} events, up to {last}"
                    ));
                }
            }
            // What comes now follows without a gap, or reading it is an error.
            crowd.publish(HEARD, 1)?;
            returned.push(Returned {
                missed,
                seconds,
                server_cpu_ns: u64::try_from(spent.as_nanos()).map_err(text)?,
            });
        }
    }
    say_json(&returned)
}

fn print(options: &Options, returned: &[Returned]) {
    let (subscribers, missed) = (options.subscribers, options.missed);
    let summary = |missed: u64, figure: &dyn Fn(&Returned) -> f64| {
        Summary::of(returned.iter().filter(|one| one.missed == missed).map(figure))
    };
    println!(
        "\n## {subscribers} subscribers come back at once, {}: medians of {} times (least to most)\n",
        options.placement.name(),
        options.rounds
    );
    println!("| | nothing missed | {missed} events missed by each |\n|---|---:|---:|");
    let row = |name: &str, digits: usize, figure: &dyn Fn(&Returned) -> f64| {
        let cells = [0, missed].map(|missed| {
            summary(missed, figure).map_or_else(String::new, |all| {
                format!(
                    "{:.digits$} ({:.digits$} to {:.digits$})",
                    all.median, all.least, all.most
                )
            })
        });
        println!("| {name} | {} |", cells.join(" | "));
    };
    row("all have everything after, ms", 0, &|one| one.seconds * 1_000.0);
    row("server CPU, ms", 0, &|one| one.server_cpu_ns as f64 / 1e6);
    row("server CPU per subscriber, us", 1, &|one| {
        one.server_cpu_ns as f64 / 1e3 / subscribers as f64
    });
    // Both were measured one after the other, in each round.
    let pairs = returned.chunks_exact(2).map(|pair| {
        let more = pair[1].server_cpu_ns as f64 - pair[0].server_cpu_ns as f64;
        more / 1e3 / (subscribers as f64 * missed as f64)
    });
    if let Some(each) = Summary::of(pairs) {
        println!(
            "\nServer CPU per recovered event, beside what coming back costs: {:.3} us ({:.3} to {:.3}). Every subscriber has recovered \
             every event once and in order, and heard what came then.",
            each.median, each.least, each.most
        );
    }
}
