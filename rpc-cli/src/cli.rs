//! The command line: commands, options, help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples, with `cargo run -p ticker -- serve` in another terminal:
  export RPC_SERVER=ws://127.0.0.1:3001/rpc
  rpc list                                           what is served
  rpc describe ticker.TickerService                  methods, docs, who may call
  rpc describe ticker.WatchRequest                   fields, docs, rules
  rpc call ticker.TickerService/Quote '{\"symbol\": \"ACME\"}'
  rpc stream ticker.TickerService/Watch '{\"symbol\": \"ACME\", \"every\": \"0.5s\"}'
  rpc stream ticker.TickerService/Trade - < orders.jsonl
  rpc call tasks.TaskService/AddTask @task.json -H 'tenant: acme' --token \"$TOKEN\"
  rpc check main/protos protos                       what a change would break, for CI

What is sent is JSON as protobuf maps it: an argument, `@file`, or `-` for the standard input. A stream takes one JSON value for
each line, and sends it as soon as it is read.

A server tells of itself where it serves reflection: a debug build does to programs of its own machine, a release build where
its builder says so. Else `--descriptor-set` names the file that `rpc-build` leaves in OUT_DIR/rpc/descriptor_set.binpb, or that
`protoc --include_imports -o` or `buf build -o` writes.

Exit codes:
    0  done
 1-16  the call ended with this status: 3 INVALID_ARGUMENT, 4 DEADLINE_EXCEEDED, 5 NOT_FOUND, 7 PERMISSION_DENIED,
       12 UNIMPLEMENTED, 14 UNAVAILABLE (also where there is no server), 16 UNAUTHENTICATED, and so on as gRPC numbers them
    1  of `rpc check`: the change breaks clients or servers that are out there
   64  the command line is wrong: an option, or the name of a method or type that there is not
   65  the JSON, or a descriptor set, cannot be read
   66  a file cannot be read
   70  something failed that should not

Completion: `rpc completion bash > /etc/bash_completion.d/rpc`, and the same for zsh, fish, elvish and powershell.";

/// Lists, describes and calls what a server of contract-driven RPC over WebSocket serves.
#[derive(Debug, Parser)]
#[command(name = "rpc", version, after_help = "`--help` has examples and the exit codes.", after_long_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List services with their methods, and the namespaces of channels
    List(ListArgs),
    /// Describe a service, method, message or enum: docs, fields, rules, who may call
    Describe(DescribeArgs),
    /// Call a unary method
    Call(CallArgs),
    /// Call a method of any kind: one JSON value per line, in and out
    Stream(CallArgs),
    /// Say what a change of schemas breaks for clients and servers that are out there
    Check(CheckArgs),
    /// Print what a shell needs to complete commands and options
    Completion(CompletionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this service, or those of this package
    #[arg(value_name = "SERVICE")]
    pub(crate) only: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// Such as task.TaskService, task.TaskService/AddTask or task.Task
    #[arg(value_name = "SYMBOL")]
    pub(crate) symbol: String,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Such as task.TaskService/AddTask, or as much of its end as is unambiguous: TaskService/AddTask, AddTask
    #[arg(value_name = "METHOD")]
    pub(crate) method: String,
    /// What is sent, as JSON; @FILE, or - for the standard input. Without: {} for a method that takes one message, the standard
    /// input for one that takes a stream
    #[arg(value_name = "JSON")]
    pub(crate) data: Option<String>,
    /// Metadata of the call, "key: value"; of a key that ends in -bin, the value is base64. May be given several times
    #[arg(short = 'H', long = "metadata", value_name = "KEY: VALUE")]
    pub(crate) metadata: Vec<String>,
    /// Gives the call up after this long: 500ms, 5s, 2m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,
    /// Prints metadata and trailers of the answer, to the standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// What is out there: a folder of .proto files, or a descriptor set
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,
    /// What is to follow it
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

/// How the server is reached, and how it is known what it serves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Where the server is
    #[arg(
        short,
        long,
        value_name = "URL",
        env = "RPC_SERVER",
        default_value = "ws://127.0.0.1:3000/rpc"
    )]
    pub(crate) server: String,
    /// Takes what is served from a file instead of asking the server
    #[arg(long, value_name = "FILE")]
    pub(crate) descriptor_set: Option<PathBuf>,
    /// Shows this token to the server
    #[arg(long, value_name = "TOKEN", env = "RPC_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Trusts the certificates in this file (PEM or DER) and no others, for a wss:// URL
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// How long connecting may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub(crate) connect_timeout: Duration,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Prints JSON for programs: one value per line, without colours
    #[arg(long)]
    pub(crate) json: bool,
}

/// A time such as `500ms`, `5s` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => {
            return Err(format!(
                "`{unit}` is no unit of time: write ms, s, m or h, as in 500ms"
            ));
        }
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "a time is a number with a unit, as in 500ms or 5s".to_owned())?;
    let duration = Duration::try_from_secs_f64(number * seconds).map_err(|error| error.to_string())?;
    match duration.is_zero() {
        true => Err("no time at all is left for anything".to_owned()),
        false => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_their_units_and_nothing_else_is() {
        for (text, expected) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("1.5s", 1_500),
            ("2m", 120_000),
            ("3", 3_000),
        ] {
            assert_eq!(duration(text).unwrap(), Duration::from_millis(expected), "{text}");
        }
        for text in ["", "s", "5d", "-1s", "0s", "1e99s", "5 s", "NaNs"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
