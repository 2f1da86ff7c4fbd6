//! The command line: commands, options, help.

mod bench;
mod channels;
mod server;
mod starter;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use bench::BenchArgs;
pub(crate) use channels::{PublishArgs, SubscribeArgs};
pub(crate) use server::{OutputArgs, ServerArgs};
pub(crate) use starter::{NewArgs, Vcs};

const EXAMPLES: &str = "\
Examples, with `cargo run -p ticker -- serve` in another terminal:
  export RPC_SERVER=ws://127.0.0.1:3001/rpc
  rpc list                                           what is served
  rpc describe ticker.TickerService                  methods, docs, who may call
  rpc describe ticker.WatchRequest                   fields, docs, rules
  rpc call ticker.TickerService/Quote '{\"symbol\": \"ACME\"}'
  rpc stream ticker.TickerService/Watch '{\"symbol\": \"ACME\", \"every\": \"0.5s\"}'
  rpc stream ticker.TickerService/Trade - < orders.jsonl
  rpc call task.TaskService/AddTask @task.json -H 'tenant: acme' --token \"$TOKEN\"
  rpc subscribe room:kitchen room:garden             events, as they come
  rpc publish typing:kitchen chat.Typing             an event, to all who hear that channel
  rpc bench Quote '{\"symbol\": \"ACME\"}' -c 64        calls per second, and how long they take
  rpc check main/protos protos                       what a change would break, for CI
  rpc new library                                    a crate to begin with: contract, service, server, client, test

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
   73  of `rpc new`: there is something already, or a file cannot be written

Completion: `rpc completion bash > /etc/bash_completion.d/rpc`, and the same for zsh, fish, elvish and powershell.";

/// Where examples are.
const SHORT: &str = "`--help` has examples.";

const LIST: &str = "\
Examples:
  rpc list                                           all services, then the namespaces of channels
  rpc list task                                      those of a package
  rpc list --json | jq -r '.methods[]?.method'       names alone, for programs
  rpc list --descriptor-set descriptor_set.binpb     without a server";

const DESCRIBE: &str = "\
Examples:
  rpc describe task.TaskService                      methods and docs
  rpc describe AddTask                               a method: its number, deadline, who may call
  rpc describe task.Task                             a message: fields, docs, rules
  rpc describe task.Task --json | jq '.fields[].rules'";

const CHECK: &str = "\
Examples:
  rpc check protos-of-main protos                    two folders of .proto files
  rpc check released.binpb descriptor_set.binpb      two descriptor sets
  git worktree add ../main main && rpc check ../main/protos protos

What breaks peers ends with exit code 1, and says what to write instead; additions end with 0. One of them a build of the contracts warns of,
and this cannot: a value more in an enum that refuses numbers which it does not know. No schema says which enums do.";

const COMPLETION: &str = "\
Examples:
  rpc completion bash > /etc/bash_completion.d/rpc
  rpc completion zsh > \"${fpath[1]}/_rpc\"
  rpc completion fish > ~/.config/fish/completions/rpc.fish";

const CALL: &str = "\
Examples:
  rpc call task.TaskService/AddTask '{\"item\": {\"label\": \"milk\"}}'
  rpc call AddTask @task.json --json                 from a file, for programs
  jq -n '{item: {label: \"milk\"}}' | rpc call AddTask -
  rpc call AddTask @task.json -H 'tenant: acme' --token \"$TOKEN\" --deadline 2s -v";

const STREAM: &str = "\
Examples:
  rpc stream ticker.TickerService/Watch '{\"symbol\": \"ACME\", \"every\": \"0.5s\"}'
  rpc stream Trade - < orders.jsonl                  one JSON value for each line, sent as soon as it is read
  rpc stream Record @quotes.jsonl --json             from a file, for programs";

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
    #[command(after_help = SHORT, after_long_help = CALL)]
    Call(CallArgs),
    /// Call a method of any kind: one JSON value per line, in and out
    #[command(after_help = SHORT, after_long_help = STREAM)]
    Stream(CallArgs),
    /// Hear channels: one event per line, until Ctrl-C
    Subscribe(SubscribeArgs),
    /// Publish events to a channel
    Publish(PublishArgs),
    /// Call a unary method again and again, and say how many calls per second that were and how long they took
    Bench(BenchArgs),
    /// Say what a change of schemas breaks for clients and servers that are out there
    Check(CheckArgs),
    /// Make a crate to begin with: a contract, its service, a server, a client and a test
    New(NewArgs),
    /// Print what a shell needs to complete commands and options
    Completion(CompletionArgs),
}

#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = LIST)]
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
#[command(after_help = SHORT, after_long_help = DESCRIBE)]
pub(crate) struct DescribeArgs {
    /// Such as task.TaskService, task.TaskService/AddTask or task.Task, or as much of the end as is unambiguous
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
    /// Prints metadata and trailers of the answer, and the details of an error, to the standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(after_help = SHORT, after_long_help = CHECK)]
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
#[command(after_help = SHORT, after_long_help = COMPLETION)]
pub(crate) struct CompletionArgs {
    /// Which shell
    pub(crate) shell: Shell,
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
    fn each_command_has_examples_that_begin_with_it() {
        for command in Cli::command().get_subcommands() {
            let (name, help) = (command.get_name(), command.get_after_long_help());
            let help = help.map_or_else(String::new, ToString::to_string);
            let example = format!("\n  rpc {name} ");
            assert!(
                help.contains("Examples") && help.contains(&example),
                "{name}: {help}"
            );
            assert!(
                command.get_after_help().is_some(),
                "{name} -h says where they are"
            );
        }
    }

    /// What a shell makes of an example: its words up to a pipe, a redirection or the remark behind it.
    fn words(example: &str) -> Vec<String> {
        let (mut words, mut quote, mut chars) = (vec![String::new()], None, example.chars().peekable());
        while let Some(c) = chars.next() {
            match (quote, c) {
                (Some(quoting), c) if c == quoting => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '|' | '<' | '>' | '&') => break,
                (None, ' ') if chars.peek() == Some(&' ') => break,
                (None, ' ') => words.push(String::new()),
                (_, c) => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn each_example_is_understood() {
        let program = Cli::command();
        for command in std::iter::once(&program).chain(program.get_subcommands()) {
            let help = command.get_after_long_help().unwrap().to_string();
            for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
                let behind = ["| ", "&& "].iter().find_map(|before| line.split_once(before));
                let commands = [Some(line), behind.map(|(_, behind)| behind)];
                for example in commands.into_iter().flatten().filter(|it| it.starts_with("rpc ")) {
                    if let Err(error) = Cli::try_parse_from(words(example)) {
                        panic!("{example}\n{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn words_are_a_shells() {
        let example = "rpc call 'a b' \"c d\" x   what it does";
        assert_eq!(words(example), ["rpc", "call", "a b", "c d", "x"]);
        assert_eq!(words("rpc list --json | jq"), ["rpc", "list", "--json"]);
    }
}
