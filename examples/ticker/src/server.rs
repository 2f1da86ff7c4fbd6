//! The server: an address, the market, and an orderly end.

use std::future::Future;
use std::io::{self, Write};

use rpc_runtime::text::one_line;
use rpc_runtime::{Limits, Server};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

use crate::TickerGateway;
use crate::cli::ServeArgs;
use crate::failure::{Exit, Failure};
use crate::service::{Market, Tell};

/// Where the server answers.
pub(crate) const PATH: &str = "/rpc";

/// Where a debug build has the explorer, which it lets browsers of the same machine look into.
pub(crate) const EXPLORER: &str = "/explorer";

/// Serves until Ctrl-C or SIGTERM, and prints what happens to the service.
pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let listener = bind(&args.listen).await?;
    let tell = |text: String| {
        // That nobody reads it is no reason to stop.
        let _ = writeln!(io::stdout(), "{}", one_line(&text));
    };
    tell(format!("Serving prices on {}. Ctrl-C stops.", url(&listener)?));
    if cfg!(debug_assertions)
        && let Ok(address) = listener.local_addr()
    {
        tell(format!(
            "To look into it, open http://{address}{EXPLORER}/ in a browser."
        ));
    }
    run(listener, std::sync::Arc::new(tell), Limits::default(), stop()).await
}

/// Listens.
pub(crate) async fn bind(address: &str) -> Result<TcpListener, Failure> {
    Server::listen(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "the port is in use; --listen names another".to_owned(),
            _ => error.to_string(),
        };
        Failure::new(Exit::CannotListen, format!("cannot listen on {address}: {why}"))
    })
}

/// The URL under which a listener is reached from this machine.
pub(crate) fn url(listener: &TcpListener) -> Result<String, Failure> {
    match listener.local_addr() {
        Ok(address) => Ok(format!("ws://{address}{PATH}")),
        Err(error) => Err(Failure::new(Exit::CannotListen, error.to_string())),
    }
}

/// Serves until `stop` is ready: then clients are told to go, running calls may finish for as long as the limits say, and
/// what is left is ended.
pub(crate) async fn run(
    listener: TcpListener,
    tell: Tell,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let mut server = Server::builder()
        .service(TickerGateway::new(Market { tell }))
        .path(PATH)
        .limits(limits);
    if cfg!(debug_assertions) {
        server = server.explorer(EXPLORER);
    }
    let server = server
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error.to_string()))?;
    server.serve_with_listener(listener, stop).await;
    Ok(())
}

async fn stop() {
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
