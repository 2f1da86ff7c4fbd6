use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn record(&self, first: Quote, quotes: Streaming<Quote>) -> Result<(), Status>;
}

fn main() {}
