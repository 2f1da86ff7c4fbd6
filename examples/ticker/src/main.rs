//! A market that streams prices in every way that a call can stream, and a command line that calls it.
//!
//! `contracts` says what goes over the wire, `service` implements the trait that stands there; the build script makes the
//! gateway that serves it and the client that calls it. `tour` has both in one process and shows every kind of call; `server`
//! and `client` are for two terminals.

mod cli;
mod client;
pub mod contracts;
mod failure;
mod market;
mod server;
mod service;
mod text;
mod tour;

rpc_runtime::include_gateway!("ticker");

use std::future::Future;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use cli::{Cli, Command};
use failure::{Exit, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version come this way too, and are no failure.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            return match error.print() {
                Ok(()) => exit.into(),
                Err(_) => Exit::Failed.into(),
            };
        }
    };
    log();
    let result = match cli.command {
        None | Some(Command::Tour) => block_on(tour::run()),
        Some(Command::Serve(args)) => block_on(server::serve(&args)),
        Some(Command::Client(command)) => block_on(client::run(command)),
    };
    match result {
        Ok(()) => Exit::Done.into(),
        // Whoever reads the output has read enough.
        Err(failure) if failure.exit == Exit::Done => Exit::Done.into(),
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit.into()
        }
    }
}

fn block_on(future: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start: {error}")))?;
    let result = runtime.block_on(future);
    // A thread that waits for the standard input waits until somebody types.
    runtime.shutdown_background();
    result
}

/// Logs to the standard error what `RUST_LOG` says, else warnings.
fn log() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
