use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Status, contract};
use std::rc::Rc;

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
        let shared = Rc::new(request);
        Ok(stream::iter(0..3).map(move |_| Ok(Quote::clone(&shared))))
    }
}

fn main() {}
