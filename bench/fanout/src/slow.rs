//! What subscribers take in memory: while nothing is published, and while some of them never read what is.

use crate::listen::allow;
use crate::loaded::{Loaded, Server};
use crate::peers::{Peer, QUEUE};
use clap::Args;
use rpc_bench_measure::{Placement, Process, resident, say_json, text};
use std::io::BufRead;
use std::time::Duration;

/// What warms a server up before it is looked at.
const WARM_UP: usize = 100;
/// What a server gets to settle in.
const SETTLE: Duration = Duration::from_millis(1_000);
/// An idle subscriber may take so many KiB.
const IDLE_KIB: f64 = 8.0;
/// The kernel keeps so much of what one does not read, doubled; the sooner the server's own queue fills.
const SEND_BUFFER: &str = "32768";
/// Events under way.
const IN_FLIGHT: u64 = 16;
/// Parts in which events are published, with a look at memory after each.
const PARTS: u64 = 10;
/// Beside its queue, a subscriber has an output that may hold as much as this.
const OUTPUT: u64 = 128 << 10;
/// In the last parts nothing may grow, but for what the allocator does.
const LAST_PARTS: usize = 3;
const STEADY: f64 = 1.02;

/// What is measured.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How many subscribers.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    subscribers: u32,
    /// How many of them never read.
    #[arg(long, default_value_t = 100)]
    silent: u32,
    /// Events of 100 bytes that are published: more than fit into the queue of one that does not read.
    #[arg(long, default_value_t = 8_000)]
    events: u64,
}

/// The subscribers' process.
#[derive(Clone, Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    server: Loaded,
    #[command(flatten)]
    options: Options,
}

/// Measures, and prints the table.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let (subscribers, silent) = (options.subscribers.to_string(), options.silent.to_string());
    let events = options.events.to_string();
    let setup = [
        "--subscribers",
        &subscribers,
        "--placement",
        Placement::Free.name(),
        "--send-buffer",
        SEND_BUFFER,
    ];
    let server = Server::start(Peer::Hub, &setup)?;
    let mut crowd = server.load(&[
        "fall",
        "--subscribers",
        &subscribers,
        "--silent",
        &silent,
        "--events",
        &events,
    ])?;
    let went_on = |crowd: &mut Process| -> Result<u64, String> {
        let _: u64 = crowd.ask("")?;
        std::thread::sleep(SETTLE);
        resident(server.pid()).map_err(text)
    };
    let warm = went_on(&mut crowd)?;
    let idle = went_on(&mut crowd)?;
    let each = idle.saturating_sub(warm) as f64 / 1024.0 / (f64::from(options.subscribers) - WARM_UP as f64);
    let mut parts = Vec::new();
    for _ in 0..PARTS {
        parts.push(went_on(&mut crowd)?);
    }
    print(options, each, idle, &parts);
    Ok(())
}

/// Goes on with each line: some connect, then all, then some fall silent and a part of the events is published to the others.
/// Prints how many events were published so far.
pub(crate) fn fall(load: &Load) -> Result<(), String> {
    let options = &load.options;
    let (subscribers, silent) = (options.subscribers as usize, options.silent as usize);
    allow(subscribers)?;
    let mut crowd = load.server.crowd(Peer::Hub)?;
    let mut fallen = Vec::new();
    for (step, line) in std::io::stdin().lock().lines().enumerate() {
        line.map_err(text)?;
        match step {
            0 => crowd.connect(WARM_UP)?,
            1 => crowd.connect(subscribers - WARM_UP)?,
            _ => {
                if fallen.is_empty() {
                    fallen = crowd.silence(silent)?;
                }
                crowd.publish(options.events / PARTS, IN_FLIGHT)?;
            }
        }
        say_json(&crowd.allowed())?;
    }
    Ok(())
}

fn print(options: &Options, each: f64, idle: u64, parts: &[u64]) {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let verdict = |reached: bool| if reached { "reached" } else { "missed" };
    let Options {
        subscribers,
        silent,
        events,
    } = options;
    println!("\n## {subscribers} subscribers, of which {silent} never read {events} events\n");
    println!("| | | target | |\n|---|---:|---:|---|");
    let is_small = verdict(each <= IDLE_KIB);
    println!("| an idle subscriber, KiB | {each:.2} | {IDLE_KIB} | {is_small} |");
    println!("| resident before, MiB | {:.1} | | |", mib(idle));
    for (part, bytes) in parts.iter().enumerate() {
        let published = events / PARTS * (part as u64 + 1);
        println!("| after {published} events | {:.1} | | |", mib(*bytes));
    }
    let (most, last) = (
        parts.iter().max().copied().unwrap_or(idle),
        parts.last().copied().unwrap_or(idle),
    );
    let bound = u64::from(*silent) * (QUEUE as u64 + OUTPUT);
    let grown = most.saturating_sub(idle);
    println!(
        "| grown at most, MiB | {:.1} | {:.1} | {} |",
        mib(grown),
        mib(bound),
        verdict(grown <= bound)
    );
    let before = parts.iter().rev().nth(LAST_PARTS).copied().unwrap_or(idle);
    let steady = last as f64 / before as f64;
    println!(
        "| the last {LAST_PARTS} parts, of the one before | {steady:.3} | {STEADY} | {} |",
        verdict(steady <= STEADY)
    );
}
