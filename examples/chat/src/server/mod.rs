//! The server: an address, the users, the hub, and an orderly end.

mod hub;
mod page;

use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rpc_runtime::hub::Notification;
use rpc_runtime::{Endpoint, Limits, Rate, RateLimit, Server, services};
use tokio::net::TcpListener;
use tokio::signal::ctrl_c;

use crate::accounts::{AccountError, Tokens, Users, authenticator};
use crate::cli::{RoleArgs, ServeArgs};
use crate::failure::{Exit, Failure};
use crate::rooms::Rooms;
use crate::service::{Accounts, Administrators, Talk};
use crate::{AuthGateway, ChatGateway};

/// Where people talk.
pub(crate) const PATH: &str = "/rpc";

/// Where users become known. It is an endpoint of its own, so that [`PATH`] can refuse everyone who is not.
pub(crate) const AUTH_PATH: &str = "/auth";

/// Where a debug build has the explorer, which it lets browsers of the same machine look into.
const EXPLORER: &str = "/explorer";

/// How often one address may try a name and a password. Each try costs a hash, and guessing is to take years.
const TRIES: Rate = Rate::per_minute(10).burst(20);

/// How much one client may say, and ask for.
const CALLS: Rate = Rate::per_second(20).burst(100);

/// Serves until Ctrl-C or SIGTERM.
pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let listener = bind(&args.listen).await?;
    let address = listener
        .local_addr()
        .map_err(|error| cannot_listen(&args.listen, &error))?;
    let file = (!args.memory).then_some(args.database.database.as_path());
    let users = open(file).await?;
    let rooms = Arc::new(Rooms::new(args.rooms.iter().cloned()));
    let server = build(users, rooms, args.history.into()).await?;
    // That nobody reads it is no reason to stop.
    let _ = io::stdout().write_all(welcome(address, args).as_bytes());
    run(server, listener, stop()).await;
    tracing::info!("stopped");
    Ok(())
}

/// Makes a server of these users and rooms, which keeps so many events of a room.
pub(crate) async fn build(users: Users, rooms: Arc<Rooms>, history: usize) -> Result<Server, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(Exit::Failed, error.to_string());
    let secret = users.secret().await.map_err(|error| cannot_use(&error))?;
    let authenticator = authenticator(&secret).map_err(|error| failed(&error))?;
    let hub = hub::hub(&rooms, history).map_err(|error| failed(&error))?;
    let accounts = Accounts {
        users: users.clone(),
        tokens: Tokens::new(&secret),
    };
    let auth = Endpoint::new()
        .service(AuthGateway::new(accounts))
        .limits(Limits {
            // Names, passwords and tokens are short, and nobody has many at once.
            message_bytes: 16 << 10,
            streams: 4,
            ..Limits::default()
        })
        .rate_limit(RateLimit::messages(TRIES).each_address());
    let mut server = Server::builder()
        .path(PATH)
        .service(ChatGateway::new(Talk {
            rooms,
            users: users.clone(),
        }))
        // The hub's own service: what clients subscribe, publish and read by.
        .service(services::hub::gateway())
        .hub(hub)
        .authenticator(authenticator)
        .require_authentication()
        .guard("admin", Administrators(users))
        .rate_limit(RateLimit::messages(CALLS).each_session())
        .http(page::page())
        .endpoint(AUTH_PATH, auth);
    if cfg!(debug_assertions) {
        server = server.explorer(EXPLORER);
    }
    server.build().map_err(|error| failed(&error))
}

/// Serves until `stop` is ready. Everyone who is there then is told.
pub(crate) async fn run(server: Server, listener: TcpListener, stop: impl Future<Output = ()>) {
    let hub = server.hub();
    let stop = async move {
        stop.await;
        let farewell = Notification::info(
            "The server stops",
            "When it is back, so are you; there is nothing to do.",
        );
        if let Err(error) = hub.all().publish(&farewell).await {
            tracing::warn!(%error, "nobody could be told that the server stops");
        }
    };
    server.serve_with_listener(listener, stop).await;
}

/// Makes a user an administrator, or one like others.
pub(crate) async fn set_admin(args: &RoleArgs, is_admin: bool) -> Result<String, Failure> {
    let file = &args.database.database;
    if !file.exists() {
        let text = format!(
            "there is no database {}: --database names the server's, and a server with --memory has none",
            file.display()
        );
        return Err(Failure::new(Exit::Database, text));
    }
    let users = open(Some(file)).await?;
    let set = users.set_admin(&args.name, is_admin).await;
    match set.map_err(|error| cannot_use(&error.into()))? {
        true if is_admin => Ok(format!("{} is an administrator\n", args.name)),
        true => Ok(format!("{} is no administrator\n", args.name)),
        false => Err(Failure::new(
            Exit::NotFound,
            format!(
                "nobody is called {:?}; `chat join --register` makes a user",
                args.name
            ),
        )),
    }
}

async fn open(file: Option<&Path>) -> Result<Users, Failure> {
    Users::open(file).await.map_err(|error| {
        let file = file.map_or_else(|| "in memory".to_owned(), |file| file.display().to_string());
        Failure::new(
            Exit::Database,
            format!("cannot open the database {file}: {error}"),
        )
    })
}

fn cannot_use(error: &AccountError) -> Failure {
    Failure::new(Exit::Database, format!("cannot use the database: {error}"))
}

/// Listens.
pub(crate) async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .map_err(|error| cannot_listen(address, &error))
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "the port is in use; --listen names another, as in --listen 127.0.0.1:3003".to_owned()
        }
        io::ErrorKind::InvalidInput => {
            format!("{error}; an address and a port are expected, as in 127.0.0.1:3002")
        }
        _ => error.to_string(),
    };
    Failure::new(Exit::CannotListen, format!("cannot listen on {address}: {why}"))
}

/// What a server says that has started, with commands to copy.
fn welcome(address: SocketAddr, args: &ServeArgs) -> String {
    let url = format!("ws://{address}{PATH}");
    let page = format!("http://{address}/");
    let explorer = match cfg!(debug_assertions) {
        true => format!("To look into the server: http://{address}{EXPLORER}/\n"),
        false => String::new(),
    };
    // Cargo tells the programs that it runs where it is itself.
    let program = match std::env::var_os("CARGO") {
        Some(_) => "cargo run -p chat --",
        None => "chat",
    };
    let server = match url.as_str() {
        "ws://127.0.0.1:3002/rpc" => String::new(),
        url => format!(" --server {url}"),
    };
    let room = args
        .rooms
        .get(args.rooms.len() / 2)
        .map_or("kitchen", |room| room.as_str());
    let kept = match args.memory {
        true => "in memory".to_owned(),
        false => format!("in {}", args.database.database.display()),
    };
    let rooms: Vec<&str> = args.rooms.iter().map(|room| room.as_str()).collect();
    format!(
        "Serving {rooms} on {url}, with the users {kept}. Ctrl-C stops.\n\
         \n\
         In a browser: {page}\n\
         {explorer}\
         Two people, in two other terminals; later without --register:\n\
         \x20 {program} join --user ann --room {room} --register{server}\n\
         \x20 {program} join --user bob --room {room} --register{server}\n",
        rooms = rooms.join(", "),
    )
}

/// Ready at the first Ctrl-C or SIGTERM. A second one ends the program at once.
async fn stop() {
    signal().await;
    tracing::info!("stopping; once more ends it at once");
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
