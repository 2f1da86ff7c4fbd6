//! Measures what calls and stream messages cost a server, and memory per connection, beside other RPC stacks and a bare
//! WebSocket. See README.md for what is measured and how to read it.

mod calls;
mod child;
mod contracts;
mod extras;
mod fairness;
mod idle;
mod load;
mod memory;
mod messages;
mod options;
mod peers;
mod results;
mod serve;
mod shape;
mod streams;
mod targets;

rpc_runtime::include_gateway!("flow");
rpc_runtime::include_gateway!("task");

use clap::{Args, Parser, Subcommand};
use extras::Extra;
use fairness::Traffic;
use options::Options;
use peers::Peer;
use rpc_bench_measure::{Placement, Side};
use shape::Shape;
use std::net::SocketAddr;
use std::process::ExitCode;
use streams::{StreamPeer, StreamShape};
use tokio::runtime::Runtime;

/// Server CPU per call, calls per second and memory per connection, beside other RPC stacks.
#[derive(Debug, Parser)]
#[command(name = "rpc-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything: calls, streams, fairness, then memory (the default).
    All,
    /// Server CPU per call and calls per second.
    Calls,
    /// What authentication, guards, rates, metrics and spans add to a call.
    Extras,
    /// Messages per second of streams, and CPU per message, each way.
    Streams,
    /// How long calls take beside streams on the same connection.
    Fairness,
    /// Resident memory per idle connection after one call.
    Memory,
    /// Memory per connection, and what a call costs, beside 100 and beside many idle connections.
    Idle {
        /// How many are many.
        #[arg(default_value_t = 10_000)]
        connections: usize,
    },
    /// A server process; prints its address and ends with its standard input.
    Serve {
        /// Whose server.
        peer: Peer,
    },
    /// A client process; prints what it measured as JSON.
    Load {
        /// Whose client.
        peer: Peer,
        #[command(flatten)]
        server: Loaded,
        #[command(flatten)]
        shape: Shape,
    },
    /// A server process of ours with one of the extras; prints its address and ends with its standard input.
    ServeExtra {
        /// Which.
        extra: Extra,
    },
    /// A client process of it; prints what it measured as JSON.
    LoadExtra {
        /// Which.
        extra: Extra,
        #[command(flatten)]
        server: Loaded,
        #[command(flatten)]
        shape: Shape,
    },
    /// A server process of streams; prints its address and ends with its standard input.
    ServeStreams {
        /// Whose server.
        peer: StreamPeer,
    },
    /// A client process of streams; prints what it measured as JSON.
    LoadStreams {
        /// Whose client.
        peer: StreamPeer,
        #[command(flatten)]
        server: Loaded,
        #[command(flatten)]
        shape: StreamShape,
    },
    /// A client process of calls beside streams; prints what it measured as JSON.
    LoadBeside {
        /// Whose client.
        peer: StreamPeer,
        #[command(flatten)]
        server: Loaded,
        /// What else is on the connection.
        #[arg(long)]
        traffic: Traffic,
    },
    /// A client process that makes one call on each connection and holds them.
    Hold {
        /// Whose client.
        peer: Peer,
        /// The server's address.
        #[arg(long)]
        addr: SocketAddr,
    },
}

/// The server that a client process loads.
#[derive(Clone, Copy, Debug, Args)]
struct Loaded {
    /// The server's address.
    #[arg(long)]
    addr: SocketAddr,
    /// The server's process id.
    #[arg(long = "server")]
    pid: u32,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rpc-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, String> {
    let options = cli.options;
    match cli.command.unwrap_or(Command::All) {
        Command::All => {
            let calls = calls::run(&options)?;
            let streams = streams::run(&options)?;
            fairness::run(&options)?;
            memory::run(&options)?;
            Ok(verdict(calls && streams))
        }
        Command::Calls => calls::run(&options).map(verdict),
        Command::Extras => extras::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Streams => streams::run(&options).map(verdict),
        Command::Fairness => fairness::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Memory => memory::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Idle { connections } => idle::run(connections, &options).map(|()| ExitCode::SUCCESS),
        Command::Serve { peer } => {
            serve::run(&options, |listener| peer.serve(listener, options.read_buffer))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::ServeExtra { extra } => {
            serve::run(&options, |listener| extra.serve(listener))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::LoadExtra { extra, server, shape } => {
            let (runtime, Loaded { addr, pid }) = (client(&options)?, server);
            print(&extra.measure(&runtime, addr, pid, shape, options.warm_up(), options.window())?)
        }
        Command::ServeStreams { peer } => {
            serve::run(&options, |listener| peer.serve(listener, options.read_buffer))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Load { peer, server, shape } => {
            let (runtime, Loaded { addr, pid }) = (client(&options)?, server);
            print(&peer.measure(&runtime, addr, pid, shape, options.warm_up(), options.window())?)
        }
        Command::LoadStreams { peer, server, shape } => {
            let (runtime, Loaded { addr, pid }) = (client(&options)?, server);
            print(&peer.measure(&runtime, addr, pid, shape, options.warm_up(), options.window())?)
        }
        Command::LoadBeside {
            peer,
            server,
            traffic,
        } => {
            // The server's CPU is not measured.
            let (runtime, Loaded { addr, .. }) = (client(&options)?, server);
            print(&peer.measure_beside(&runtime, addr, traffic, options.warm_up(), options.window())?)
        }
        Command::Hold { peer, addr } => {
            peer.hold(&serve::runtime(Side::Client, Placement::Free)?, addr)?;
            std::process::exit(0);
        }
    }
}

/// The runtime of a client process that measures.
fn client(options: &Options) -> Result<Runtime, String> {
    serve::runtime(Side::Client, options.placed())
}

/// What a run ends with: 2 where the machine was too noisy.
fn verdict(valid: bool) -> ExitCode {
    if valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}

/// Prints what a client process measured, and ends it.
fn print(measured: &impl serde::Serialize) -> Result<ExitCode, String> {
    let measured = serde_json::to_string(measured).map_err(|error| error.to_string())?;
    println!("{measured}");
    // Calls are still in flight; nothing is gained by waiting for them.
    std::process::exit(0);
}
