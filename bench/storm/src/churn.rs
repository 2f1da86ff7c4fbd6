//! Clients that connect and disconnect, as fast as it goes: a server is none the larger for having had them.

use crate::files::{self, Side, text};
use crate::light::{self, Answer};
use crate::processes::{Held, Server};
use crate::storm::MEMORY_WITHIN;
use clap::Args;
use rpc_bench_measure::{Process, say_json};
use serde::{Deserialize, Serialize};
use std::io::BufRead;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// No rate holds the visitors up.
const CONNECTS: u32 = 1_000_000;
/// The longest that a server keeps something of a client that is gone.
const LINGER: Duration = Duration::from_secs(60);
/// What it gets to settle in besides.
const SETTLE: Duration = Duration::from_secs(2);

/// How many come and go.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Connects and disconnects, after at most six tenths as many that are not counted.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=4_000_000))]
    times: u32,
    /// Connections at a time.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=4_096))]
    at_once: u32,
}

/// Memory is looked at after each of so many parts.
const PARTS: u32 = 10;
/// So many parts in a row have to leave the server no larger before anything is counted,
const STEADY: u32 = 2;
/// but no more than so many parts are gone through for it.
const MOST_WARM_UPS: u32 = 6;

/// What visitors tell.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Visits {
    /// Connections that were open.
    open: u64,
    /// Handshakes that were refused, or ended without an answer.
    failed: u64,
}

impl std::ops::AddAssign for Visits {
    fn add_assign(&mut self, more: Self) {
        self.open += more.open;
        self.failed += more.failed;
    }
}

/// Measures and prints; whether everything is back where it was.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut server = Server::start(options.at_once as usize * 4, Some(CONNECTS), 0)?;
    let (addr, at_once) = (server.addr.to_string(), options.at_once.to_string());
    let mut visitors = Process::start(&["visitors", &addr, "--at-once", &at_once])?;
    let part = options.times.div_ceil(PARTS).max(options.at_once * 8);
    warm_up(&mut server, &mut visitors, part)?;
    let before = settled(&mut server)?;
    let began = Instant::now();
    let (mut visits, mut resident) = (Visits::default(), Vec::new());
    for _ in 0..PARTS {
        visits += visitors.ask(&part.to_string())?;
        resident.push(format!("{:.1}", mib(&server.held()?)));
    }
    let (took, cpu) = (began.elapsed(), server.cpu()?.saturating_sub(before.cpu));
    let after = settled(&mut server)?;

    let per_second = visits.open as f64 / took.as_secs_f64();
    println!(
        "\n## {} connects and disconnects, {at_once} at a time\n",
        visits.open
    );
    println!("| | before | after | |\n|---|---:|---:|---|");
    let mut good = visits.failed == 0;
    let mut row = |name: &str, digits: usize, figure: fn(&Held) -> f64| {
        let (before, after) = (figure(&before), figure(&after));
        let is_back = after <= before * (1.0 + MEMORY_WITHIN);
        good &= is_back;
        let verdict = if is_back { "reached" } else { "missed" };
        println!("| {name} | {before:.digits$} | {after:.digits$} | {verdict} |");
    };
    row("resident, MiB", 1, mib);
    row("descriptors", 0, |held| held.descriptors as f64);
    row("tasks", 0, |held| held.state.tasks as f64);
    println!(
        "\n{per_second:.0} per second, {:.0} us of server CPU each; {} failed.",
        cpu.as_secs_f64() * 1e6 / visits.open as f64,
        visits.failed
    );
    println!("\nResident after each tenth, MiB: {}", resident.join(" "));
    Ok(good)
}

fn mib(held: &Held) -> f64 {
    held.resident as f64 / f64::from(1 << 20)
}

/// Has clients come and go until the server has grown no more for some parts. What it takes by then is no leak: buffers for so
/// many at a time, the table of the addresses that came of late, and what the allocator keeps between both. A leak does not
/// end, and shows in the parts that are counted.
fn warm_up(server: &mut Server, visitors: &mut Process, part: u32) -> Result<(), String> {
    let (mut most, mut steady) = (0, 0);
    for _ in 0..MOST_WARM_UPS {
        let _: Visits = visitors.ask(&part.to_string())?;
        let resident = server.held()?.resident;
        // Some pages come and go.
        steady = if resident > most + most / 100 {
            0
        } else {
            steady + 1
        };
        most = most.max(resident);
        if steady == STEADY {
            return Ok(());
        }
    }
    Ok(())
}

/// What the server takes once nobody is connected any more.
fn settled(server: &mut Server) -> Result<Held, String> {
    let until = Instant::now() + LINGER;
    while server.held()?.state.connections > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(SETTLE);
    server.held()
}

/// The visitors' process: for each line of standard input connects and disconnects so many times, and prints [`Visits`].
pub(crate) fn visit(server: SocketAddr, at_once: u32) -> Result<(), String> {
    files::place(Side::Clients)?;
    files::allow_most()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(text)?;
    // Each visit comes from another address.
    let mut first = 0;
    for line in std::io::stdin().lock().lines() {
        let times: u32 = line.map_err(text)?.parse().map_err(text)?;
        say_json(&runtime.block_on(visit_all(server, first, times, at_once))?)?;
        first += times;
    }
    Ok(())
}

async fn visit_all(server: SocketAddr, first: u32, times: u32, at_once: u32) -> Result<Visits, String> {
    let next = Arc::new(AtomicU32::new(0));
    let open = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..at_once {
        let (next, open) = (next.clone(), open.clone());
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= times {
                    return;
                }
                if let Ok(Answer::Open(_)) = light::connect(server, light::source(first + number)).await {
                    open.fetch_add(1, Relaxed);
                }
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(text)?;
    }
    let open = open.load(Relaxed);
    Ok(Visits {
        open,
        failed: u64::from(times) - open,
    })
}
