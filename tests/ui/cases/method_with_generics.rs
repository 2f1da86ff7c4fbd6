use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote<T: Send>(&self, request: T) -> Result<Quote, Status>;
}

fn main() {}
