use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", removed("TickerService/Quote"), detached)]
pub trait Ticker {
    async fn quote(&self, request: Quote) -> Result<Quote, Status>;
}

fn main() {}
