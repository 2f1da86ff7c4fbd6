//! The server that the cases of the TypeScript client run against.
//!
//! It listens on free ports of the loopback address, says where in one line of JSON, and ends when its standard input does. Each case
//! makes a world of its own by the switches ([`control`]), whose server it may then have cut, stopped, replaced and killed.

mod actions;
mod by_hand;
mod channels;
pub mod contracts;
mod control;
mod processes;
mod proxy;
mod seen;
mod service;
mod tokens;
mod world;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, stdin},
    net::TcpListener,
};

use world::Failure;

rpc_runtime::include_gateway!("cases");

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let control = TcpListener::bind("127.0.0.1:0").await?;
    let by_hand = TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "{}",
        json!({
            "control": format!("http://{}", control.local_addr()?),
            "byHand": format!("ws://{}", by_hand.local_addr()?),
        })
    );
    tokio::spawn(by_hand::serve(by_hand));
    tokio::select! {
        served = axum::serve(control, control::router()) => served?,
        () = input_ends() => {}
    }
    Ok(())
}

/// Returns when whoever has started this program closes its standard input, or is gone.
async fn input_ends() {
    let mut bytes = [0; 64];
    while let Ok(1..) = stdin().read(&mut bytes).await {}
}
