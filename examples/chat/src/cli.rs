//! The command line: commands, options, help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::rooms::RoomName;

const EXAMPLES: &str = "\
Examples:
  chat                                      serve on 127.0.0.1:3002, with the users in ./chat.db
  chat join --user ann --room kitchen --register
  chat join --user bob --room kitchen --doing \"making tea\"
  chat promote ann                          on the server's machine: ann may kick
  chat serve --memory --room lobby --room bar
  chat tour                                 everything in one run, with a server and clients of its own

In a room, what you type is said when you press Enter, and these are commands:
  /msg NAME TEXT     write to one user alone
  /who               who is here
  /rooms             which rooms there are
  /join ROOM         go to another room
  /history [NUMBER]  what was said before
  /kick NAME [WHY]   put somebody out (administrators)
  /help              these commands
  /quit              leave; so does Ctrl-D
  //TEXT             say something that begins with a slash
A line that ends in \\ goes on in the next one; meanwhile others see that you are typing.

Exit codes:
   0  done
  64  the command line is wrong, or a URL on it
  65  what was sent is refused: a name or a password that may not be one
  66  there is no such room, or no such user
  69  the server cannot be reached, or went away for good
  70  something failed that should not; the server's log says more
  71  the address cannot be listened on
  73  another user has this name
  74  the database cannot be opened or written
  75  no answer in time, or too many calls: try again later
  77  the name or the password is wrong, or the user may not do this

Environment:
  RUST_LOG  what is logged to the standard error, such as `debug` or `rpc_runtime=trace`";

/// Rooms to talk in, over WebSocket in binary protobuf.
///
/// Without a command it serves. `join` is the client.
#[derive(Debug, Parser)]
#[command(version, after_help = "`--help` has examples, what can be typed in a room, and the exit codes.", after_long_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until Ctrl-C or SIGTERM
    Serve(ServeArgs),
    /// Enter a room, and talk
    Join(JoinArgs),
    /// Make a user an administrator, in the database itself; a server that runs hears of it at once
    Promote(RoleArgs),
    /// Make an administrator a user like others
    Demote(RoleArgs),
    /// Show everything: a server on a free port and several clients, in one process
    Tour,
}

/// What a server is told.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen on; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CHAT_LISTEN",
        default_value = "127.0.0.1:3002"
    )]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Keep the users in memory instead; they are gone when the server ends
    #[arg(long)]
    pub(crate) memory: bool,
    /// A room; may be given several times
    #[arg(long = "room", value_name = "NAME", default_values = ["garden", "kitchen", "library"])]
    pub(crate) rooms: Vec<RoomName>,
    /// How much of what happens in a room is kept, for an hour: for those who come in, and those who come back
    #[arg(long, value_name = "EVENTS", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) history: u16,
}

/// Where the users are.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// The file of the users; it is made when it is missing
    #[arg(long, value_name = "PATH", env = "CHAT_DATABASE", default_value = "chat.db")]
    pub(crate) database: PathBuf,
}

/// Whose role it is.
#[derive(Debug, Args)]
pub(crate) struct RoleArgs {
    /// What the user is called
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

/// What the client is told.
#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// Who you are
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// Where to go first
    #[arg(long, value_name = "NAME", default_value = "kitchen")]
    pub(crate) room: RoomName,
    /// Become this user: the name is yours from then on, with the password that you give
    #[arg(long)]
    pub(crate) register: bool,
    /// What you are doing; others see it by /who
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) doing: String,
    /// A file whose first line is the password; without, it is asked for, or is the first line of the standard input
    #[arg(long, value_name = "PATH", env = "CHAT_PASSWORD_FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "CHAT_SERVER",
        default_value = "ws://127.0.0.1:3002/rpc"
    )]
    pub(crate) server: String,
}
