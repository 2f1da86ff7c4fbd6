//! A task server, and a command line that calls it: what a user of these crates writes.
//!
//! `contracts` says what goes over the wire. The build script makes messages, the trait [`TaskService`], gateways
//! and clients of it; `service` implements the services and says who may call them, `accounts` knows users, their passwords
//! and tokens, `storage` keeps all of it, `server` and `client` are the two ends.

mod accounts;
mod cli;
mod client;
pub mod contracts;
mod failure;
mod output;
mod roles;
mod server;
mod service;
mod storage;

rpc_runtime::include_gateway!("task");
rpc_runtime::include_gateway!("auth");

use std::future::Future;
use std::io::{self, IsTerminal, Write};
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
    let result = match cli.command {
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Client(command)) => call(client::run(command)),
        Some(Command::User(command)) => call(roles::run(command)),
    };
    match result {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.exit.into()
        }
    }
}

fn serve(args: &cli::ServeArgs) -> Result<(), Failure> {
    log_from(LevelFilter::INFO);
    block_on(tokio::runtime::Builder::new_multi_thread(), server::serve(args))
}

fn call(command: impl Future<Output = Result<String, Failure>>) -> Result<(), Failure> {
    log_from(LevelFilter::WARN);
    let text = block_on(tokio::runtime::Builder::new_current_thread(), command)?;
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough, as in `tasks list | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("cannot write the output: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

fn block_on<T>(
    mut runtime: tokio::runtime::Builder,
    future: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    runtime
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start: {error}")))?
        .block_on(future)
}

/// Logs to the standard error what `RUST_LOG` says, else everything from `level` on.
fn log_from(level: LevelFilter) {
    let mut filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .from_env_lossy();
    // At the finest level the whole request for the upgrade is logged, and with it the token.
    if let Ok(quiet) = "tungstenite::handshake=warn".parse() {
        filter = filter.add_directive(quiet);
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
