//! The command line: commands and help.

mod client;
mod serve;

use clap::{Args, Parser, Subcommand};

pub(crate) use client::{ClientCommand, ClientOptions, TaskArgs, UserArgs};
pub(crate) use serve::{DatabaseArgs, ServeArgs};

const EXAMPLES: &str = "\
Examples:
  tasks                              serve on 127.0.0.1:3000, with the tasks in ./tasks.db
  tasks --memory                     the same, with tasks that are gone at the end
  tasks serve --listen 0.0.0.0:4000 --database /var/lib/tasks.db
  tasks serve --tls-cert cert.pem --tls-key key.pem --require-login
  tasks add \"Buy milk\"
  tasks list
  tasks watch                        the list, and every change of it as it is made
  tasks check 3f2a                   an id may be cut to where no other begins alike
  tasks remove 3f2a
  tasks register ada                 asks for a password; from now on the tasks are ada's own
  tasks login ada < password.txt
  tasks list --json --server wss://tasks.example.com:4000/rpc
  tasks user promote ada             on the server's machine: ada may call what is for administrators

Exit codes:
   0  done
  64  the command line is wrong, or a URL on it
  65  the label is not one: empty, or longer than 200 characters; or so is a user's name or password
  66  no task has this id, or several do; or no user has this name
  69  the server cannot be reached, or went away
  70  something failed that should not; the server's log says more
  71  the address cannot be listened on
  73  another task has this label, or another user this name
  74  the database, or a file of logins, cannot be opened or written
  75  no answer in time, and the call may have run; or too many calls: try again later
  77  the login is missing, wrong or over, or its user may not do this
  78  a certificate, its key or the secret of the tokens cannot be used

Environment:
  RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`";

/// How this program is called again: as whoever started it did.
pub(crate) fn program() -> String {
    // Cargo tells the programs that it runs where it is itself.
    if std::env::var_os("CARGO").is_some() {
        return "cargo run -p tasks --".to_owned();
    }
    match std::env::args().next() {
        Some(program) if program.contains(' ') => format!("'{program}'"),
        Some(program) => program,
        None => "tasks".to_owned(),
    }
}

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
    Serve(Box<ServeArgs>),
    #[command(flatten)]
    Client(ClientCommand),
    /// Say what a user may do, in the database itself; a server that runs hears of it at once
    #[command(subcommand)]
    User(UserCommand),
}

/// What is done to users in the database.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user an administrator
    Promote(RoleArgs),
    /// Make an administrator a user like others
    Demote(RoleArgs),
}

/// Whose role it is.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    /// What the user is called
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}
