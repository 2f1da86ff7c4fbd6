use futures_util::Stream;
use std::pin::Pin;
use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self) -> Result<Pin<Box<dyn Stream<Item = Result<Quote, Status>> + Send>>, Status>;
}

fn main() {}
