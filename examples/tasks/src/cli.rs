//! The command line: commands, options, help.

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  tasks                              serve on 127.0.0.1:3000, with the tasks in ./tasks.db
  tasks --memory                     the same, with tasks that are gone at the end
  tasks serve --listen 0.0.0.0:4000 --database /var/lib/tasks.db
  tasks add \"Buy milk\"
  tasks list
  tasks check 3f2a                   an id may be cut to where no other begins alike
  tasks remove 3f2a
  tasks list --json --server ws://tasks.example.com:4000/rpc

Exit codes:
   0  done
  64  the command line is wrong, or a URL on it
  65  the label is not one: empty, or longer than 200 characters
  66  no task has this id, or several do
  69  the server cannot be reached, or went away
  70  something failed that should not; the server's log says more
  71  the address cannot be listened on
  73  another task has this label
  74  the database cannot be opened or written
  75  no answer in time; the call may have run

Environment:
  RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`";

/// Keeps tasks, and serves them over WebSocket in binary protobuf.
///
/// Without a command it serves. The other commands are a client: they call a server that is running.
#[derive(Debug, Parser)]
#[command(version, after_help = "`--help` has examples and the exit codes.", after_long_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve tasks until Ctrl-C or SIGTERM
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
        env = "TASKS_LISTEN",
        default_value = "127.0.0.1:3000"
    )]
    pub(crate) listen: String,
    /// The database: a file of SQLite, or a URL (sqlite:…, postgres://… with the feature `postgres`)
    ///
    /// It is created when it is missing, and columns that the contract has and its table lacks are added.
    #[arg(
        long,
        value_name = "PATH|URL",
        env = "TASKS_DATABASE",
        hide_env_values = true,
        default_value = "tasks.db"
    )]
    pub(crate) database: String,
    /// Keep the tasks in memory instead; they are gone when the server ends
    #[arg(long)]
    pub(crate) memory: bool,
}

/// What calls a server.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Add a task
    Add {
        /// What is to be done, in 1 to 200 characters; no two tasks say the same
        label: String,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// List the tasks, in the order in which they were added
    List {
        /// Also those that were put away (`removed`) without being deleted
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        options: ClientOptions,
    },
    /// Say that a task is done
    Check(TaskArgs),
    /// Say that a task is not done after all
    Uncheck(TaskArgs),
    /// Delete a task
    Remove(TaskArgs),
}

/// What a command about one task takes.
#[derive(Debug, Args)]
pub(crate) struct TaskArgs {
    /// The task's id, or enough of its beginning to tell it from the others
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) options: ClientOptions,
}

/// What every command takes that calls a server.
#[derive(Debug, Args)]
pub(crate) struct ClientOptions {
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "TASKS_SERVER",
        default_value = "ws://127.0.0.1:3000/rpc"
    )]
    pub(crate) server: String,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
