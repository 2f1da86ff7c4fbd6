//! The server: `cargo run`, or `cargo run -- 127.0.0.1:3005` to listen elsewhere.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::process::ExitCode;

use rpc_runtime::Server;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:3000");
    let server = crate_name::server()?;
    let listener = Server::listen(address)
        .await
        .map_err(|error| cannot_listen(address, &error))?;

    let address = listener.local_addr()?;
    println!("The book lies open at ws://{address}/rpc. Ctrl-C closes it.");
    if cfg!(debug_assertions) {
        let entry = r#"{"name": "Ada", "text": "Hello!"}"#;
        println!("To sign it, open http://{address}/explorer/ or, in another terminal:");
        println!("  rpc call Sign '{entry}' --server ws://{address}/rpc");
    }

    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    server.serve_with_listener(listener, stop).await;
    Ok(())
}

fn cannot_listen(address: &str, error: &io::Error) -> String {
    let why = match error.kind() {
        ErrorKind::AddrInUse => {
            "the port is in use; `cargo run -- 127.0.0.1:3005` takes another".to_owned()
        }
        ErrorKind::InvalidInput => {
            format!("{error}; an address and a port are expected, as in 127.0.0.1:3000")
        }
        _ => error.to_string(),
    };
    format!("cannot listen on {address}: {why}")
}
