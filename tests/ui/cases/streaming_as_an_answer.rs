use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self) -> Result<Streaming<Quote>, Status>;
}

fn main() {}
