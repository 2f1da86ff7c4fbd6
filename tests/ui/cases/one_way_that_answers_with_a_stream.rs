use futures_util::Stream;
use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    #[message(one_way)]
    async fn watch(&self) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
}

fn main() {}
