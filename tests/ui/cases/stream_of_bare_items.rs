use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self, request: Quote) -> Result<impl Stream<Item = Quote>, Status>;
}

fn main() {}
