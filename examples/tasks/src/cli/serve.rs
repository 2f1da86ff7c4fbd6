//! What a server is told on the command line.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Exit, Failure};
use crate::storage::Location;

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
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Keep the tasks in memory instead; they are gone when the server ends
    #[arg(long)]
    pub(crate) memory: bool,
    /// Refuse anonymous clients: there is no list then that they share
    #[arg(long)]
    pub(crate) require_login: bool,
    /// The secret that logins are signed with, 32 bytes or more; made and kept beside the database's file without
    #[arg(long, value_name = "PATH", env = "TASKS_JWT_SECRET_FILE")]
    pub(crate) jwt_secret_file: Option<PathBuf>,
    /// How long a login lasts
    #[arg(long, value_name = "MINUTES", default_value_t = 720, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) token_lifetime: u32,
    /// The server's certificate in PEM, followed by those that lead to its authority: serves wss:// and https://
    ///
    /// It is read again when it changes.
    #[arg(long, value_name = "PATH", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key in PEM
    #[arg(long, value_name = "PATH", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Believe this proxy, or all of this network, when it says whom it forwards; may be given several times
    #[arg(long, value_name = "ADDRESS|NETWORK")]
    pub(crate) trust_proxy: Vec<String>,
    /// Pages of this origin may connect from browsers, such as `https://app.example.com`; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
}

/// Where the database is.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
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
    database: String,
}

impl DatabaseArgs {
    /// The database that is meant.
    pub(crate) fn location(&self) -> Result<Location, Failure> {
        self.database
            .parse()
            .map_err(|error| Failure::new(Exit::Usage, format!("--database: {error}")))
    }
}
