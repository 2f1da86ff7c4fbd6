use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct Symbol(pub String);

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn quote(&self, request: Symbol) -> Result<Quote, Status>;
}

fn main() {}
