//! SIGTERM under load: clients with calls and streams on many connections, and a server process that is told to stop.
//!
//! What is judged: the process exits with 0 within its grace and 5 s; every call that was begun is answered, or ends
//! UNAVAILABLE; and as many are answered as handlers have finished, so that no answer is lost on its way. `cargo xtask stopping`
//! runs it with 1,000 connections and the grace of 25 s; `cargo test` with fewer and less.

mod load;
mod server;

use std::{
    error::Error,
    process::{ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use load::{Outcomes, visit};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// What a stop may take longer than its grace: telling everybody, closing, and leaving.
const SLACK: Duration = Duration::from_secs(5);

#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Role>,
    /// How many connections there are.
    #[arg(long, default_value_t = 1_000)]
    connections: u64,
    /// How long running calls may go on once the server is told to stop, in seconds.
    #[arg(long, default_value_t = 25)]
    grace: u64,
    /// How long all clients are busy before that, in seconds.
    #[arg(long, default_value_t = 3)]
    load: u64,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// The server process, which is started by this program itself.
    #[command(hide = true)]
    Serve {
        /// See above.
        #[arg(long)]
        grace: u64,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Role::Serve { grace }) => {
            server::serve(Duration::from_secs(grace)).await?;
            Ok(ExitCode::SUCCESS)
        }
        None => stop_under_load(&arguments).await,
    }
}

async fn stop_under_load(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let grace = Duration::from_secs(arguments.grace);
    let (mut process, mut lines) = start(grace)?;
    let url: Arc<str> = lines.next_line().await?.ok_or("the server did not start")?.into();
    let outcomes = Arc::new(Outcomes::default());
    let clients: Vec<_> = (0..arguments.connections)
        .map(|number| tokio::spawn(visit(url.clone(), number, outcomes.clone())))
        .collect();
    outcomes.all_are_busy(arguments.connections).await;
    tokio::time::sleep(Duration::from_secs(arguments.load)).await;

    let told = Instant::now();
    terminate(&process).await?;
    let status = tokio::time::timeout(grace + 2 * SLACK, process.wait()).await;
    let took = told.elapsed();
    let Ok(status) = status else {
        process.kill().await?;
        println!("BAD: the server did not exit within {:?}", grace + 2 * SLACK);
        return Ok(ExitCode::FAILURE);
    };
    let finished: u64 = match lines.next_line().await? {
        Some(line) => line.parse()?,
        None => return Err("the server has not said how many calls it has finished".into()),
    };
    for client in clients {
        client.await?;
    }

    let mut good = true;
    let mut say = |holds: bool, text: String| {
        good &= holds;
        println!("{}: {text}", if holds { "good" } else { "BAD" });
    };
    let status = status?;
    say(status.success(), format!("the server exited with {status}"));
    say(
        took <= grace + SLACK,
        format!(
            "it took {:.1} s, with a grace of {} s",
            took.as_secs_f64(),
            arguments.grace
        ),
    );
    let (answered, unavailable, not_run, lost) = outcomes.counts();
    say(
        answered == finished,
        format!("{answered} calls answered, {finished} finished by their handlers"),
    );
    say(
        unavailable >= arguments.connections,
        format!(
            "{unavailable} calls UNAVAILABLE, at least one on each of {} connections",
            arguments.connections
        ),
    );
    say(lost == 0, format!("{lost} calls lost; {not_run} were never sent"));
    for text in outcomes.first_lost() {
        println!("  {text}");
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A running server, and what it prints.
type Running = (Child, Lines<BufReader<ChildStdout>>);

/// Starts this program once more, as the server. It is killed where this one fails.
fn start(grace: Duration) -> Result<Running, Box<dyn Error>> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["serve", "--grace", &grace.as_secs().to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = process.stdout.take().ok_or("no standard output")?;
    Ok((process, BufReader::new(output).lines()))
}

/// Sends SIGTERM to the process that was started here.
async fn terminate(process: &Child) -> Result<(), Box<dyn Error>> {
    let id = process
        .id()
        .ok_or("the server has exited before it was told to")?;
    let sent = Command::new("kill")
        .args(["-TERM", &id.to_string()])
        .status()
        .await?;
    match sent.success() {
        true => Ok(()),
        false => Err("SIGTERM could not be sent".into()),
    }
}
