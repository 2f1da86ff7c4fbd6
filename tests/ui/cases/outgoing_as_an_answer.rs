use rpc_runtime::{Outgoing, Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn feed(&self, input: Streaming<Quote>) -> Result<Outgoing<Quote>, Status>;
}

fn main() {}
