use futures_util::Stream;
use rpc_runtime::{Status, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
}

struct Feed;

impl Ticker for Feed {
    async fn watch(&self, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        Ok(vec![Ok(request)])
    }
}

fn main() {}
