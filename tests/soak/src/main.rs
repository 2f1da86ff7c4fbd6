//! A soak: clients that come, call, give up and go for minutes, against a server in a process of its own, over loopback.
//!
//! What is judged: no call ends as it should not; the server's resident memory is flat after the first minute (the median
//! of the last fifth of the samples is at most 5 % above that of the first); once the clients are gone, connections,
//! running calls, tasks and descriptors are back where they were before they came, within 5 %. How long anything takes is
//! not judged. `cargo xtask soak` builds it optimised and runs it.

mod acts;
pub mod contracts;
mod random;
mod server;
mod severable;
mod tally;
mod verdict;
mod visitor;
mod watched;

rpc_runtime::include_gateway!("soak");

use clap::{Parser, Subcommand};
use contracts::Health;
use random::Random;
use std::{
    error::Error,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use tally::Tally;
use tokio::time::{interval, sleep};
use verdict::{Course, is_given_back};
use watched::{Sample, Watched};

/// Memory is judged after so long: until then buffers, pools and the allocator grow to what the load needs.
const WARM_UP: Duration = Duration::from_secs(60);
/// Rows of the table.
const ROWS: u32 = 20;
/// The longest that the server keeps something of a peer that is gone without a word.
const LINGER: Duration = Duration::from_secs(60);

/// Clients that come, call, give up and go, and a server that must be none the larger for it.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// For how many minutes clients come; at least 5: the first is warming up, and an allocator settles for as long again.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(5..))]
    minutes: u64,
    /// How many clients there are at a time.
    #[arg(long, default_value_t = 32)]
    visitors: u64,
    /// What they do, in which order.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The server process, which the soak starts itself.
    #[command(hide = true)]
    Serve,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Serve) => server::serve().await.map(|()| ExitCode::SUCCESS),
        None => soak(&arguments).await,
    }
}

async fn soak(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let server = Watched::start()?;
    let monitor = SoakClient::connect(&server.url).await?;
    let before = State::of(&server, &monitor).await?;

    let tally = Arc::new(Tally::default());
    let url: Arc<str> = server.url.as_str().into();
    let visitors: Vec<_> = (0..arguments.visitors)
        .map(|visitor| {
            let random = Random::new(arguments.seed, visitor);
            tokio::spawn(visitor::visit(url.clone(), random, tally.clone()))
        })
        .collect();
    let length = Duration::from_secs(arguments.minutes * 60);
    let samples = watch(&server, &monitor, &tally, length).await?;
    tally.end();
    for visitor in visitors {
        visitor.await?;
    }

    let began = Instant::now();
    let mut after = State::of(&server, &monitor).await?;
    while !after.is_back_at(&before) && began.elapsed() < LINGER {
        sleep(Duration::from_millis(500)).await;
        after = State::of(&server, &monitor).await?;
    }
    Ok(match judge(&tally, &before, &after, &samples) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// How the server does, seen from outside and by itself.
#[derive(Debug)]
struct State {
    sample: Sample,
    health: Health,
}

impl State {
    async fn of(server: &Watched, monitor: &SoakClient) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            sample: server.sample()?,
            health: monitor.health().await?,
        })
    }

    /// What visitors make the server hold, and what it is rid of when they are gone. Memory stays with the allocator.
    fn held(&self) -> [(&'static str, u64); 4] {
        [
            ("descriptors", self.sample.descriptors),
            ("connections", self.health.connections),
            ("running calls", self.health.running),
            ("tasks", self.health.tasks),
        ]
    }

    fn is_back_at(&self, before: &Self) -> bool {
        let mut pairs = before.held().into_iter().zip(self.held());
        pairs.all(|((_, before), (_, after))| is_given_back(before, after))
    }

    fn print(&self, first: &str, tally: &Tally) {
        let acts: u64 = tally.acts().map(|(_, count)| count).sum();
        println!(
            "| {first} | {:.1} | {} | {} | {} | {} | {} | {acts} |",
            self.sample.resident as f64 / 1024.0,
            self.sample.descriptors,
            self.health.connections,
            self.health.running,
            self.health.tasks,
            tally.visits(),
        );
    }
}

/// Prints rows while the visitors are about; gives resident memory (seconds, KiB) once a second, after warming up.
async fn watch(
    server: &Watched,
    monitor: &SoakClient,
    tally: &Tally,
    length: Duration,
) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    println!(
        "| second | resident, MiB | descriptors | connections | running calls | tasks | visits | acts |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    let began = Instant::now();
    let mut samples = Vec::new();
    let mut next_row = Duration::ZERO;
    let mut seconds = interval(Duration::from_secs(1));
    while began.elapsed() < length {
        seconds.tick().await;
        let state = State::of(server, monitor).await?;
        let elapsed = began.elapsed();
        if elapsed >= WARM_UP {
            samples.push((elapsed.as_secs_f64(), state.sample.resident as f64));
        }
        if elapsed >= next_row {
            state.print(&elapsed.as_secs().to_string(), tally);
            next_row += length / ROWS;
        }
    }
    Ok(samples)
}

/// Prints what came out, and says whether it is good.
fn judge(tally: &Tally, before: &State, after: &State, samples: &[(f64, f64)]) -> bool {
    after.print("after", tally);
    println!("\n| act | times |\n|---|---:|");
    for (act, count) in tally.acts() {
        println!("| {act:?} | {count} |");
    }
    println!();
    let mut good = true;
    let mut say = |holds: bool, text: String| {
        good &= holds;
        println!("{}: {text}", if holds { "good" } else { "BAD" });
    };
    match Course::of(samples) {
        Some(course) => say(
            course.is_flat(),
            format!("resident memory after the first minute: {course}"),
        ),
        None => say(false, "too few samples of resident memory".to_owned()),
    }
    for ((what, before), (_, after)) in before.held().into_iter().zip(after.held()) {
        say(
            is_given_back(before, after),
            format!("{what}: {before} before, {after} after"),
        );
    }
    let (failures, first) = tally.failures();
    let idle: Vec<_> = tally.acts().filter(|(_, count)| *count == 0).collect();
    say(idle.is_empty(), "everything was done at least once".to_owned());
    say(
        failures == 0,
        format!("{failures} of {} visits failed", tally.visits()),
    );
    for text in first {
        println!("  {text}");
    }
    good
}
