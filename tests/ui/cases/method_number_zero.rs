use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    #[message(number = 0)]
    async fn quote(&self, request: Quote) -> Result<Quote, Status>;
}

fn main() {}
