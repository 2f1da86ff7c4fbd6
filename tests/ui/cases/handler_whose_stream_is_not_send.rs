use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Status, contract, rpc};
use std::rc::Rc;

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

pub struct TickerGateway;

#[rpc("ticker", detached)]
impl TickerGateway {
    #[message]
    async fn watch(&self, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        let shared = Rc::new(request);
        Ok(stream::iter(0..3).map(move |_| Ok(Quote::clone(&shared))))
    }
}

fn main() {}
