//! A client: `cargo run --example client` reads the book and tells what is written from then on;
//! `cargo run --example client -- Ada 'Hello!'` writes. The server may be named by `RPC_SERVER`.

use std::error::Error;
use std::process::ExitCode;

use rpc_runtime::Client;

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
    let mut read = book.read().await?;
    let mut last = 0;
    while let Some(entry) = read.message().await? {
        last = entry.number;
        show(&entry);
    }
    while let Some(received) = written.next().await {
        let entry = received?.event;
        if entry.number > last {
            show(&entry);
        }
    }
    Ok(())
}

fn show(entry: &Entry) {
    println!("{}. {}: {}", entry.number, entry.name, entry.text);
}
