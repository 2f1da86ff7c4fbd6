use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn record(&self, quotes: Streaming<Result<Quote, Status>>) -> Result<(), Status>;
}

fn main() {}
