use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote(&self, symbol: String, day: i64) -> Result<Quote, Status>;
}

fn main() {}
