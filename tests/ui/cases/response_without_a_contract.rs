use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct Price(pub f64);

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote(&self, request: Quote) -> Result<Price, Status>;
}

fn main() {}
