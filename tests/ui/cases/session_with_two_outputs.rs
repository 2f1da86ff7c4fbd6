use rpc_runtime::{Outgoing, Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn feed(&self, input: Streaming<Quote>, one: Outgoing<Quote>, two: Outgoing<Quote>) -> Result<(), Status>;
}

fn main() {}
