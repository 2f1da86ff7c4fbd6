//! What a server does with many connections that come and go: all of them at once ([`storm`]), and one after the other
//! ([`churn`]). See ../README.md for what is measured and how to read it.

mod callers;
mod churn;
mod contracts;
mod crowd;
mod files;
mod light;
mod processes;
mod server;
mod storm;

rpc_runtime::include_gateway!("steady");

use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// A server whose clients all come back at once, and one whose clients come and go.
#[derive(Debug, Parser)]
#[command(name = "rpc-storm-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All clients lose their connections at once and come back, beside some that stay and call.
    Storm(storm::Options),
    /// Clients connect and disconnect, and the server is none the larger for it.
    Churn(churn::Options),
    /// A server process; prints its address.
    #[command(hide = true)]
    Serve(server::Setup),
    /// A process of many idle clients.
    #[command(hide = true)]
    Crowd {
        /// The server's address.
        addr: SocketAddr,
        /// How many.
        #[arg(long)]
        clients: u32,
        /// How many come per second at first.
        #[arg(long)]
        rate: f64,
        /// For how many seconds all are waited for.
        #[arg(long)]
        within: u64,
        /// How nice it is to others.
        #[arg(long)]
        nice: i32,
    },
    /// A process of clients that connect and disconnect.
    #[command(hide = true)]
    Visitors {
        /// The server's address.
        addr: SocketAddr,
        /// How many at a time.
        #[arg(long)]
        at_once: u32,
    },
    /// A process of clients that stay and call.
    #[command(hide = true)]
    Callers {
        /// The server's address.
        addr: SocketAddr,
        /// How many.
        #[arg(long)]
        connections: u32,
        /// Calls per second of all together.
        #[arg(long)]
        rate: f64,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Storm(options) => storm::run(&options),
        Command::Churn(options) => churn::run(&options),
        Command::Serve(setup) => server::run(setup).map(|()| true),
        Command::Crowd {
            addr,
            clients,
            rate,
            within,
            nice,
        } => crowd::run(addr, clients, rate, Duration::from_secs(within), nice).map(|()| true),
        Command::Visitors { addr, at_once } => churn::visit(addr, at_once).map(|()| true),
        Command::Callers {
            addr,
            connections,
            rate,
        } => callers::run(addr, connections, rate).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rpc-storm-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
