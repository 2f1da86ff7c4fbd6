//! Rooms to talk in: a server, and a client for a terminal.
//!
//! `contracts` says what goes over the wire. `service` has what users may ask for, `server` puts it together with the hub: which
//! channels there are and who may do what in them stands in `server/hub.rs`. `accounts` knows users, `rooms` the rooms. `client` is
//! for people, and `tour` shows everything in one process.

mod accounts;
mod cli;
mod client;
pub mod contracts;
mod failure;
mod rooms;
mod server;
mod service;
mod text;
mod tour;

rpc_runtime::include_gateway!("chat");
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
    log(match cli.command {
        None | Some(Command::Serve(_)) => LevelFilter::INFO,
        // A client says itself what its user is to know.
        Some(_) => LevelFilter::ERROR,
    });
    let result = block_on(async {
        match cli.command {
            None => server::serve(&cli.serve).await,
            Some(Command::Serve(args)) => server::serve(&args).await,
            Some(Command::Join(args)) => client::join(args).await,
            Some(Command::Promote(args)) => print(&server::set_admin(&args, true).await?),
            Some(Command::Demote(args)) => print(&server::set_admin(&args, false).await?),
            Some(Command::Tour) => tour::run().await,
        }
    });
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

/// Prints. That whoever reads has read enough ends the program well.
fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let printed = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    printed.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::nobody_reads(),
        _ => Failure::new(Exit::Failed, format!("cannot write the output: {error}")),
    })
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

/// Logs to the standard error what `RUST_LOG` says, else everything from `level` on.
fn log(level: LevelFilter) {
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
