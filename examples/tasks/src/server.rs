//! The server: an address, a database, and an orderly end.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use rpc_runtime::Server;
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

use crate::TaskGateway;
use crate::cli::ServeArgs;
use crate::failure::{Exit, Failure};
use crate::service::Tasks;
use crate::storage::{Location, Store};

/// Where the server answers.
const PATH: &str = "/rpc";

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let location = location(args)?;
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|error| cannot_listen(&args.listen, &error))?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(&args.listen, &error))?;
    let store = Store::open(&location).await.map_err(|error| {
        let why = location.system_error().unwrap_or_else(|| error.to_string());
        Failure::new(
            Exit::Database,
            format!("cannot open the database {location}: {why}"),
        )
    })?;
    let store = Arc::new(store);
    let server = Server::builder()
        .service(TaskGateway::new(Tasks { store: store.clone() }))
        .path(PATH)
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    // That nobody reads it is no reason to stop.
    let _ = io::stdout().write_all(welcome(address, &location).as_bytes());
    server.serve_with_listener(listener, stop()).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

fn location(args: &ServeArgs) -> Result<Location, Failure> {
    if args.memory {
        return Ok(Location::memory());
    }
    args.database
        .parse()
        .map_err(|error| Failure::new(Exit::Usage, format!("--database: {error}")))
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

/// What is said at the start: where the server is, and what to try.
fn welcome(address: SocketAddr, location: &Location) -> String {
    let mut here = address;
    if here.ip().is_unspecified() {
        here.set_ip(match here {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let url = format!("ws://{here}{PATH}");
    // Cargo tells the programs that it runs where it is itself.
    let mut program = match std::env::var_os("CARGO") {
        Some(_) => "cargo run -p tasks --".to_owned(),
        None => std::env::args().next().unwrap_or_else(|| "tasks".to_owned()),
    };
    let mut server = String::new();
    if here.to_string() != "127.0.0.1:3000" {
        server = format!(" --server {url}");
    }
    if program.contains(' ') && !program.starts_with("cargo") {
        program = format!("'{program}'");
    }
    format!(
        "Serving tasks on {url}, kept in {location}. Ctrl-C stops.\n\
         \n\
         Try in another terminal:\n\
         \x20 {program} add \"Buy milk\"{server}\n\
         \x20 {program} list{server}\n\
         \x20 {program} check <id>{server}\n\
         \x20 {program} remove <id>{server}\n"
    )
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
