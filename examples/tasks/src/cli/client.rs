//! What a client is told on the command line.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

/// What calls a server.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Add a task
    Add {
        /// What is to be done, in 1 to 200 characters; no two tasks of a list say the same
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
    /// Show the list, and from then on every change of it
    ///
    /// Until Ctrl-C. A lost connection comes back, with what was missed. With `--json` each line is an object.
    Watch(ClientOptions),
    /// Say that a task is done
    Check(TaskArgs),
    /// Say that a task is not done after all
    Uncheck(TaskArgs),
    /// Delete a task
    Remove(TaskArgs),
    /// Become a user, with tasks of their own, and log in
    Register(UserArgs),
    /// Log in; commands are that user's from then on
    Login(UserArgs),
    /// Forget the login; commands are anonymous from then on
    Logout(ClientOptions),
    /// Say who is logged in
    Whoami(ClientOptions),
    /// List the users, and how many tasks they have; for administrators
    Users(ClientOptions),
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

/// What a command takes that asks for a password: on the terminal, else the first line of the standard input.
#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    /// The user's name; the password is asked for, or is the first line of the standard input
    pub(crate) name: String,
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
    /// Whom to trust to vouch for a server of wss://: a file of certificates in PEM; the system's without
    #[arg(long, value_name = "PATH", env = "TASKS_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// The file of the login; one for each server in the user's configuration without
    #[arg(long, value_name = "PATH", env = "TASKS_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// How long to wait for the connection, and for each answer
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
