use futures_util::Stream;
use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct Symbol(pub String);

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self) -> Result<impl Stream<Item = Result<Symbol, Status>>, Status>;
}

fn main() {}
