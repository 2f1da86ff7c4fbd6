use futures_util::Stream;
use rpc_runtime::{Outgoing, Status, Streaming, contract};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn feed(
        &self,
        input: Streaming<Quote>,
        output: Outgoing<Quote>,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
}

fn main() {}
