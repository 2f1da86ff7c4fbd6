//! The storm: how long until all are back, what that costs, and what those feel of it that stayed.

use crate::callers::Taken;
use crate::crowd::Came;
use crate::files;
use crate::processes::{Held, Server};
use clap::{Args, ValueEnum};
use rpc_bench_measure::Process;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What those that stayed may take, of what they took before.
const MOST_RATIO: f64 = 2.0;
/// All shall be back after so many seconds.
const MOST_SECONDS: f64 = 60.0;
/// Memory shall be back at what it was, within this part of it.
pub(crate) const MEMORY_WITHIN: f64 = 0.05;
/// Connections for callers, and to spare.
const SPARE: usize = 1_000;
/// What a server gets to settle in.
const SETTLE: Duration = Duration::from_secs(3);
/// Calls are looked at for so long at a time to see whether the crowd has come to rest.
const LOOK: Duration = Duration::from_secs(2);
/// So many such times in a row have to be alike.
const ALIKE: usize = 5;
/// A crowd that has not come to rest by then never will: the machine has other things to do.
const REST_WITHIN: Duration = Duration::from_secs(90);

/// What a storm is to be like.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Clients that lose their connections.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    clients: u32,
    /// Who cuts the connections.
    #[arg(long, value_enum, default_value = "clients")]
    cut: Cut,
    /// Connections that stay and call.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=20))]
    callers: u32,
    /// Calls per second of all callers together.
    #[arg(long, default_value_t = 1_000.0)]
    calls: f64,
    /// Seconds for which calls are measured before the storm.
    #[arg(long, default_value_t = 10)]
    before: u64,
    /// Seconds after which the crowd is waited for no longer.
    #[arg(long, default_value_t = 240)]
    within: u64,
    /// New connections per second that the server lets in [default: the server's own default].
    #[arg(long)]
    connects: Option<u32>,
    /// How nice the crowd is to the callers and the server (nice(1)). Beside other work, 19 keeps it from coming at all.
    #[arg(long, default_value_t = 19, value_parser = clap::value_parser!(i32).range(0..=19))]
    nice: i32,
    /// Clients per second that come at first, before anything is measured.
    #[arg(long, default_value_t = 1_500.0)]
    arrive: f64,
}

/// Who cuts the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Cut {
    /// All clients at once, as when a proxy or a network goes.
    Clients,
    /// The server, with 1012: of at most 14,000 clients.
    Server,
}

/// Measures and prints; whether everybody came back.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let clients = options.clients as usize;
    let threads = match files::threads(clients) {
        1 => 0,
        several => several,
    };
    if threads > 0 && options.cut == Cut::Server {
        return Err(format!(
            "the server can cut no more than {} connections here: it would have to wake threads whose files it cannot see",
            files::CONNECTIONS
        ));
    }
    let mut server = Server::start(clients + SPARE, options.connects, threads)?;
    let addr = server.addr.to_string();
    let (clients, within) = (clients.to_string(), options.within.to_string());
    let (arrive, nice) = (options.arrive.to_string(), options.nice.to_string());
    let mut crowd = Process::start(&[
        "crowd",
        &addr,
        "--clients",
        &clients,
        "--rate",
        &arrive,
        "--within",
        &within,
        "--nice",
        &nice,
    ])?;
    let came: Came = crowd.answer()?;
    came.all(options.clients)?;
    let (connections, rate) = (options.callers.to_string(), options.calls.to_string());
    let mut callers = Process::start(&["callers", &addr, "--connections", &connections, "--rate", &rate])?;
    let rested = rest(&mut callers)?;
    // What its tasks have waited for is asked anew from here on.
    server.held()?;
    std::thread::sleep(Duration::from_secs(options.before));
    let calm: Taken = callers.ask("taken")?;
    let before = server.held()?;
    match options.cut {
        Cut::Clients => crowd.tell("cut")?,
        Cut::Server => {
            crowd.tell("wait")?;
            server.close_all()?;
        }
    }
    let came: Came = crowd.answer()?;
    let storm: Taken = callers.ask("taken")?;
    let cpu = server.cpu()?.saturating_sub(before.cpu);
    std::thread::sleep(SETTLE);
    let after = server.held()?;
    print(options, threads, &came, (&calm, &storm), cpu, (&before, &after));
    match rested {
        Some(took) => println!("\nThe crowd had come to rest after {:.0} s.", took.as_secs_f64()),
        None => println!(
            "\nThe crowd had not come to rest after {} s: the ratio of the 99th percentiles says nothing.",
            REST_WITHIN.as_secs()
        ),
    }
    Ok(came.all(options.clients).is_ok())
}

/// Waits until the calls of several times in a row take about as long, and gives after what time; nothing where they never did.
fn rest(callers: &mut Process) -> Result<Option<Duration>, String> {
    let began = Instant::now();
    std::thread::sleep(SETTLE);
    let _: Taken = callers.ask("taken")?;
    let mut p99s = VecDeque::from([f64::NAN; ALIKE]);
    while began.elapsed() < REST_WITHIN {
        std::thread::sleep(LOOK);
        let taken: Taken = callers.ask("taken")?;
        p99s.pop_front();
        p99s.push_back(taken.p99_us);
        if is_quiet(&p99s) {
            return Ok(Some(began.elapsed()));
        }
    }
    Ok(None)
}

/// Whether the largest is at most three times the least; of one that is not known yet, it is not.
fn is_quiet(p99s: &VecDeque<f64>) -> bool {
    let least = p99s.iter().copied().fold(f64::INFINITY, f64::min);
    p99s.iter().all(|p99| *p99 <= 3.0 * least)
}

impl Came {
    fn all(&self, clients: u32) -> Result<(), String> {
        match self.connected == u64::from(clients) {
            true => Ok(()),
            false => Err(format!("{} of {clients} clients came: {self}", self.connected)),
        }
    }

    /// When that part of all that came was back, in seconds.
    fn at(&self, part: f64) -> f64 {
        let mut at_ms = self.at_ms.clone();
        at_ms.sort_unstable();
        let at = (at_ms.len() as f64 * part).ceil() as usize;
        at_ms
            .get(at.saturating_sub(1))
            .map_or(f64::NAN, |ms| f64::from(*ms) / 1_000.0)
    }
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            crowded,
            too_often,
            failed,
            late,
            ..
        } = self;
        write!(
            f,
            "{crowded} answers with 503, {too_often} with 429, {failed} without, {late} not in time"
        )
    }
}

fn print(
    options: &Options,
    threads: usize,
    came: &Came,
    (calm, storm): (&Taken, &Taken),
    cpu: Duration,
    (before, after): (&Held, &Held),
) {
    let clients = options.clients;
    let (all, ratio) = (came.at(1.0), storm.p99_us / calm.p99_us);
    let mib = |held: &Held| held.resident as f64 / f64::from(1 << 20);
    let memory = mib(after) / mib(before);
    let runtimes = match threads {
        0 => "one ordinary runtime".to_owned(),
        threads => format!("{threads} runtimes, because of the limit on open files"),
    };
    println!(
        "\n## {clients} clients come back, cut by the {:?}; {runtimes}\n",
        options.cut
    );
    println!("| | | target | |\n|---|---:|---:|---|");
    println!("| half are back after, s | {:.1} | | |", came.at(0.5));
    println!("| 99 % are back after, s | {:.1} | | |", came.at(0.99));
    let everybody = if came.all(clients).is_ok() {
        all
    } else {
        f64::INFINITY
    };
    row("all are back after, s", everybody, 1, MOST_SECONDS);
    println!("| let in per second | {:.0} | | |", came.at_ms.len() as f64 / all);
    println!("| answers with 503 | {} | | |", came.crowded);
    println!("| answers with 429 | {} | | |", came.too_often);
    println!(
        "| handshakes without an answer, not in time | {}, {} | | |",
        came.failed, came.late
    );
    println!("| server CPU, s | {:.1} | | |", cpu.as_secs_f64());
    println!(
        "| server CPU per second, s | {:.2} | | |",
        cpu.as_secs_f64() / all
    );
    println!(
        "| p50 of those that stayed, before, us | {:.0} | | |",
        calm.p50_us
    );
    println!("| during | {:.0} | | |", storm.p50_us);
    println!("| p99, before, us | {:.0} | | |", calm.p99_us);
    println!("| during | {:.0} | | |", storm.p99_us);
    row("ratio", ratio, 2, MOST_RATIO);
    println!(
        "| p99, during, but for the first second, us | {:.0} | | |",
        storm.p99_later_us
    );
    row("ratio", storm.p99_later_us / calm.p99_us, 2, MOST_RATIO);
    println!(
        "| longest that a task of the server waited for its turn, before and during, us | {}, {} | | |",
        before.state.longest_wait_us, after.state.longest_wait_us
    );
    println!(
        "| longest call, before and during, us | {:.0}, {:.0} | | |",
        calm.most_us, storm.most_us
    );
    println!("| resident before, MiB | {:.1} | | |", mib(before));
    println!("| after | {:.1} | | |", mib(after));
    row("ratio", memory, 3, 1.0 + MEMORY_WITHIN);
    let seconds: Vec<String> = storm.p99_by_second.iter().map(|us| format!("{us:.0}")).collect();
    println!("\np99 of each second of the storm, us: {}", seconds.join(" "));
    let mut back = vec![0_u32; all as usize + 1];
    for ms in &came.at_ms {
        back[*ms as usize / 1_000] += 1;
    }
    let back: Vec<String> = back.iter().map(u32::to_string).collect();
    println!("\nLet in in each second: {}", back.join(" "));
}

fn row(name: &str, figure: f64, digits: usize, most: f64) {
    let verdict = if figure <= most { "reached" } else { "missed" };
    println!("| {name} | {figure:.digits$} | {most} | {verdict} |");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_at_rest_once_all_that_is_looked_at_is_alike() {
        assert!(is_quiet(&VecDeque::from([1_000.0, 2_900.0, 1_500.0])));
        assert!(!is_quiet(&VecDeque::from([1_000.0, 3_100.0, 1_500.0])));
        assert!(!is_quiet(&VecDeque::from([f64::NAN, 1_000.0, 1_000.0])));
    }
}
