//! The server: an address, a database, a secret, and an orderly end.

mod cmmv;
pub(crate) mod endpoints;
mod http;
mod welcome;

use std::io::{self, Write};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rpc_runtime::{Server, ServerTls, StartError};
use tokio::signal::ctrl_c;

use crate::accounts::{Passwords, Secret, Tokens, Users, authenticator};
use crate::cli::ServeArgs;
use crate::failure::{Exit, Failure};
use crate::storage::{Database, Location, OpenError};
use endpoints::{Options, Parts};

/// How the name of the secret's file ends.
const SECRET: &str = "jwt-secret";

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let location = location(args)?;
    let listener = Server::listen(&args.listen)
        .await
        .map_err(|error| cannot_listen(&args.listen, &error))?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(&args.listen, &error))?;
    let database = Database::open(&location)
        .await
        .map_err(|error| cannot_open(&location, &error))?;
    let parts = parts(&database, args, &location).await?;
    let options = Options {
        require_login: args.require_login,
        allow_origins: &args.allow_origin,
        trusted_proxies: &args.trust_proxy,
    };
    // The server, once there is one: whether it is ready is asked over its own port.
    let running = Arc::new(OnceLock::new());
    let mut builder = endpoints::server(parts, &options)
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?
        .metrics()
        .http(http::routes(database.clone(), running.clone())?);
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        builder = builder.tls(ServerTls::from_pem_files(certificate, key));
    }
    let server = builder.build().map_err(|error| cannot_start(&error))?;
    let _ = running.set(server.clone());
    // That nobody reads it is no reason to stop.
    let _ = io::stdout().write_all(welcome::welcome(address, &location, args).as_bytes());
    server.serve_with_listener(listener, stop()).await;
    database.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What is served from a database.
async fn parts(database: &Database, args: &ServeArgs, location: &Location) -> Result<Parts, Failure> {
    let secret = secret(args, location)?;
    let failed = |error: OpenError| cannot_open(location, &error);
    let passwords = Passwords::new().map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    let tasks = database.owned_store().await.map_err(failed)?;
    let users = Users::open(database, passwords).await.map_err(failed)?;
    if args.jwt_secret_file.is_none() && location.beside(SECRET).is_none() && !location.in_memory {
        tracing::warn!("logins end with this server: --jwt-secret-file names a secret that stays");
    }
    Ok(Parts {
        tasks: Arc::new(tasks),
        users: Arc::new(users),
        authenticator: authenticator(&secret)
            .map_err(|error| Failure::new(Exit::Config, error.to_string()))?,
        tokens: Tokens::new(&secret, Duration::from_secs(60 * u64::from(args.token_lifetime))),
    })
}

/// What tokens are signed with: what the command line names, else what lies beside the database's file, else one that is gone
/// with the server.
fn secret(args: &ServeArgs, location: &Location) -> Result<Secret, Failure> {
    let secret = match (&args.jwt_secret_file, location.beside(SECRET)) {
        (Some(file), _) => Secret::of_file(file),
        (None, Some(file)) => Secret::kept_in(&file),
        (None, None) => Secret::random(),
    };
    secret.map_err(|error| Failure::new(Exit::Config, format!("the secret of the tokens: {error}")))
}

/// Which part of the command line a server cannot be made of.
fn cannot_start(error: &StartError) -> Failure {
    match error {
        StartError::Tls(error) => Failure::new(Exit::Config, format!("TLS: {error}")),
        StartError::TrustedProxy { .. } => Failure::new(Exit::Usage, format!("--trust-proxy: {error}")),
        error => Failure::new(Exit::Failed, error.to_string()),
    }
}

/// Why a database is not used: in the system's words where there are some.
pub(crate) fn cannot_open(location: &Location, error: &OpenError) -> Failure {
    let why = location.system_error().unwrap_or_else(|| error.to_string());
    let text = format!("cannot open the database {location}: {why}");
    Failure::new(Exit::Database, text)
}

fn location(args: &ServeArgs) -> Result<Location, Failure> {
    if args.memory {
        return Ok(Location::memory());
    }
    args.database.location()
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use; --listen names another, as in --listen 127.0.0.1:3001".to_owned()
        }
        io::ErrorKind::InvalidInput => {
            format!("{error}; an address and a port are expected, as in 127.0.0.1:3000")
        }
        _ => error.to_string(),
    };
    Failure::new(Exit::CannotListen, format!("cannot listen on {address}: {why}"))
}

/// Ready at the first Ctrl-C or SIGTERM. A second one ends the program at once.
async fn stop() {
    signal().await;
    tracing::info!("stopping: calls that are running may finish; once more ends them");
    tokio::spawn(async {
        signal().await;
        std::process::exit(130);
    });
}

async fn signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if ctrl_c().await.is_err() {
        // Without signals there is nothing to wait for: the server runs until it is killed.
        std::future::pending::<()>().await;
    }
}
