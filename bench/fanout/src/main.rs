//! What one event to many subscribers costs a server. See ../README.md for what is measured and how to read it.

mod contracts;
mod crowd;
mod fanout;
mod listen;
mod loaded;
mod options;
mod peers;
mod publisher;
mod recovery;
mod serve;
mod slow;
mod subscriber;
mod tick;
mod wire;

rpc_runtime::include_gateway!("feed");

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// What one event to many subscribers costs a server, beside axum and a bare WebSocket.
#[derive(Debug, Parser)]
#[command(name = "rpc-fanout-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Deliveries per second, server CPU for each, and how long they take.
    Fanout(options::Options),
    /// Subscribers that come back at once, and recover what they have missed.
    Recovery(recovery::Options),
    /// What subscribers take in memory: idle ones, and some that never read.
    Subscribers(slow::Options),
    /// A server process; prints its addresses.
    #[command(hide = true)]
    Serve(serve::Setup),
    /// A process of subscribers; prints what they measured.
    #[command(hide = true)]
    Listen(listen::Load),
    /// A process of subscribers that leave and come back; prints how.
    #[command(hide = true)]
    ComeBack(recovery::Load),
    /// A process of subscribers of which some stop reading; goes on with each line of its standard input.
    #[command(hide = true)]
    Fall(slow::Load),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Fanout(options) => fanout::run(&options),
        Command::Recovery(options) => recovery::run(&options),
        Command::Subscribers(options) => slow::run(&options),
        Command::ComeBack(load) => recovery::come_back(&load),
        Command::Fall(load) => slow::fall(&load),
        Command::Serve(setup) => serve::run(setup),
        Command::Listen(load) => listen::run(&load),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rpc-fanout-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
