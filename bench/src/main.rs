//! Measures server CPU per call, calls per second and memory per connection, beside other RPC stacks and a bare
//! WebSocket. See README.md for what is measured and how to read it.

mod calls;
mod child;
mod contracts;
mod load;
mod memory;
mod messages;
mod peers;
mod process;
mod serve;
mod shape;
mod statistics;
mod targets;

rpc_runtime::include_gateway!("task");

use clap::{Args, Parser, Subcommand, ValueEnum};
use peers::Peer;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// Server CPU per call, calls per second and memory per connection, beside other RPC stacks.
#[derive(Debug, Parser)]
#[command(name = "rpc-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

/// What a whole run takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Short rounds: shows that everything runs, not how fast.
    #[arg(long, global = true)]
    quick: bool,
    /// Rounds; in each, every peer is measured once [default: 5, with --quick 2].
    #[arg(long, global = true)]
    rounds: Option<usize>,
    /// Milliseconds measured per peer, shape and round [default: 1000, with --quick 200].
    #[arg(long, global = true)]
    window_ms: Option<u64>,
    /// Only these peers.
    #[arg(long, global = true, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// Only shapes whose name contains one of these.
    #[arg(long, global = true, value_delimiter = ',')]
    shapes: Vec<String>,
    /// Connections that are held for the memory figures [default: 2000, with --quick 500].
    #[arg(long, global = true)]
    held: Option<usize>,
    /// Bytes that the floor asks a socket for at once.
    #[arg(long, global = true, default_value_t = peers::websocket::READ_BUFFER)]
    read_buffer: usize,
    /// Where the scheduler may put the two processes [default: apart, then together].
    #[arg(long, global = true, value_enum, value_delimiter = ',')]
    placement: Vec<Placement>,
}

/// Where the scheduler may put server and client.
///
/// A wake-up across cores of a virtual machine costs some 25 microseconds, one on the same core 3. Left alone, the
/// scheduler changes its mind between runs, which moves `1 x 1` and `1 x 64` by more than any program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Placement {
    /// Anywhere: which of the other two it is may change within a second.
    Free,
    /// The server on the first core, the client on the second: every wake-up crosses cores.
    Apart,
    /// Both on the first core: no wake-up does.
    Together,
}

impl Placement {
    /// The name on the command line and in the tables.
    fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Apart => "apart",
            Self::Together => "together",
        }
    }
}

impl Options {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1)
    }

    fn window(&self) -> Duration {
        Duration::from_millis(
            self.window_ms
                .unwrap_or(if self.quick { 200 } else { 1000 })
                .max(10),
        )
    }

    fn warm_up(&self) -> Duration {
        self.window() / 3
    }

    fn peers(&self) -> Vec<Peer> {
        if self.peers.is_empty() {
            Peer::ALL.to_vec()
        } else {
            self.peers.clone()
        }
    }

    fn shapes(&self) -> Vec<shape::Shape> {
        let wanted = |name: &str| {
            self.shapes.is_empty() || self.shapes.iter().any(|part| name.contains(part.as_str()))
        };
        shape::ALL
            .into_iter()
            .filter(|shape| wanted(shape.name))
            .collect()
    }

    fn placements(&self) -> Vec<Placement> {
        if self.placement.is_empty() {
            vec![Placement::Apart, Placement::Together]
        } else {
            self.placement.clone()
        }
    }

    /// The one placement of a server or client process.
    fn placed(&self) -> Placement {
        self.placement.first().copied().unwrap_or(Placement::Free)
    }

    fn held(&self) -> usize {
        self.held.unwrap_or(if self.quick { 500 } else { 2000 }).max(1)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything: calls, then memory (the default).
    All,
    /// Server CPU per call and calls per second.
    Calls,
    /// Resident memory per idle connection after one call.
    Memory,
    /// A server process; prints its address and ends with its standard input.
    Serve {
        /// Whose server.
        peer: Peer,
    },
    /// A client process; prints what it measured as JSON.
    Load {
        /// Whose client.
        peer: Peer,
        /// The server's address.
        #[arg(long)]
        addr: SocketAddr,
        /// The server's process id.
        #[arg(long)]
        server: u32,
        /// Connections.
        #[arg(long)]
        connections: usize,
        /// Calls in flight on each.
        #[arg(long)]
        in_flight: usize,
        /// Bytes of the label.
        #[arg(long)]
        label: usize,
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
            let valid = calls::run(&options)?;
            memory::run(&options)?;
            Ok(if valid {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            })
        }
        Command::Calls => Ok(if calls::run(&options)? {
            ExitCode::SUCCESS
        } else {
            ExitCode::from(2)
        }),
        Command::Memory => memory::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Serve { peer } => {
            serve::run(peer, &options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Load {
            peer,
            addr,
            server,
            connections,
            in_flight,
            label,
        } => {
            let shape = shape::Shape {
                name: "given",
                connections,
                in_flight,
                label,
            };
            let runtime = serve::runtime(serve::Side::Client, options.placed())?;
            let measured =
                peer.measure(&runtime, addr, server, shape, options.warm_up(), options.window())?;
            println!(
                "{}",
                serde_json::to_string(&measured).map_err(|error| error.to_string())?
            );
            // Calls are still in flight; nothing is gained by waiting for them.
            std::process::exit(0);
        }
        Command::Hold { peer, addr } => {
            peer.hold(&serve::runtime(serve::Side::Client, Placement::Free)?, addr)?;
            std::process::exit(0);
        }
    }
}
