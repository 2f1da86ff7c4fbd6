use futures_util::Stream;
use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn record(&self, quotes: impl Stream<Item = Quote>) -> Result<(), Status>;
}

fn main() {}
