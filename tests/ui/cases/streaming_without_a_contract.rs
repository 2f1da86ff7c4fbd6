use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct Symbol(pub String);

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn record(&self, quotes: Streaming<Symbol>) -> Result<Quote, Status>;
}

fn main() {}
