//! A client: `cargo run --example client` reads the book and tells what is written from then on;
//! `cargo run --example client -- Ada 'Hello!'` writes. The server may be named by `RPC_SERVER`.

use std::error::Error;
use std::process::ExitCode;

use rpc_runtime::hub::client::SubscriptionError;
use rpc_runtime::{CallError, Client};

use crate_name::GuestBookClient;
use crate_name::contracts::{Entry, SignRequest};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("RPC_SERVER").unwrap_or("ws://127.0.0.1:3000/rpc".into());
    let client = Client::connect(&url).await?;
    let book = GuestBookClient::new(client.clone());

    let mut args = std::env::args().skip(1);
    if let Some(name) = args.next() {
        let text = args.next().unwrap_or_default();
        show(&book.sign(SignRequest { name, text }).await?);
        return Ok(());
    }

    // Subscribed before it reads, so that nothing is missed in between.
    let mut written = client.hub().subscribe::<Entry>("entries").await?;
    let mut last = show_all(&book).await?;
    while let Some(received) = written.next().await {
        match received {
            Ok(received) if received.event.number > last => {
                last = received.event.number;
                show(&received.event);
            }
            Ok(_) => {}
            // The connection was away for too long, or the server began anew: the book says what was
            // missed. It goes on.
            Err(SubscriptionError::Gap(_)) => {
                println!("Once more from the beginning:");
                last = show_all(&book).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Shows what stands in the book, and gives the number of the last entry.
async fn show_all(book: &GuestBookClient) -> Result<u64, CallError> {
    let mut read = book.read().await?;
    let mut last = 0;
    while let Some(entry) = read.message().await? {
        last = entry.number;
        show(&entry);
    }
    Ok(last)
}

fn show(entry: &Entry) {
    println!("{}. {}: {}", entry.number, entry.name, entry.text);
}
