//! The command line: commands, options, help.

use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  ticker                                 a server and a client that shows every kind of call, in one run
  ticker serve                           serve on 127.0.0.1:3001
  ticker watch ACME                      the prices of ACME until Ctrl-C
  ticker watch GLOBEX --every 20 --count 5
  ticker report ACME --ticks 9999        more than the method's deadline allows
  printf 'buy 10 ACME\\nsell 4 ACME\\n' | ticker trade
  ticker watch ACME --count 5 | ticker record

Exit codes:
   0  done
  64  the command line is wrong, or a URL on it
  65  what was sent is refused, or a line of the standard input says nothing
  66  the symbol is not listed
  69  the server cannot be reached, or went away
  70  something failed that should not
  71  the address cannot be listened on
  75  no answer in time; the call may have run

Environment:
  RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`";

/// Streams prices over WebSocket in binary protobuf, in every way that a call can stream.
///
/// Without a command it shows them all, with a server and a client of its own.
#[derive(Debug, Parser)]
#[command(version, after_help = "`--help` has examples and the exit codes.", after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show every kind of call: a server on a free port and its client, in one process
    Tour,
    /// Serve until Ctrl-C or SIGTERM
    Serve(ServeArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "TICKER_LISTEN",
        default_value = "127.0.0.1:3001"
    )]
    pub(crate) listen: String,
}

/// What calls a server.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Print a price (unary)
    Quote {
        /// What is traded: ACME, GLOBEX or INITECH
        symbol: String,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Print prices as they change (the server streams)
    Watch {
        /// What is traded
        symbol: String,
        /// How long a price stands
        #[arg(long, value_name = "MILLISECONDS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        every: u32,
        /// Stop after so many
        #[arg(long, value_name = "NUMBER")]
        count: Option<usize>,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Send prices from the standard input, in lines like `ACME 100.35` (the client streams)
    Record {
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Send orders from the standard input, in lines like `buy 10 ACME` and `sell 4 ACME` (both stream)
    Trade {
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Follow several symbols at once, and go on when the server is back (a session)
    Desk {
        /// What is traded
        #[arg(required = true)]
        symbols: Vec<String>,
        /// Stop after so many prices
        #[arg(long, value_name = "NUMBER")]
        count: Option<usize>,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Sum the past up; the contract lets it take a second (a deadline)
    Report {
        /// What is traded
        symbol: String,
        /// Over how many prices, of which each takes a millisecond
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        ticks: u64,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Shout something across the market, and do not wait (one way)
    Shout {
        /// What
        text: String,
        #[command(flatten)]
        options: ClientOptions,
    },
}

/// What every command takes that calls a server.
#[derive(Debug, Args)]
pub(crate) struct ClientOptions {
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "TICKER_SERVER",
        default_value = "ws://127.0.0.1:3001/rpc"
    )]
    pub(crate) server: String,
}
