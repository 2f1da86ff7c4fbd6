//! Every kind of call, as a trait and as the handlers of a gateway.

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Context, Outgoing, Status, Streaming, contract, rpc};

#[contract(package = "ticker", detached)]
pub struct Quote {
    pub symbol: String,
}

#[contract(package = "ticker", detached)]
pub trait Ticker {
    async fn watch(&self, cx: &Context, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;
    async fn record(&self, cx: &Context, quotes: Streaming<Quote>) -> Result<Quote, Status>;
    async fn trade(&self, orders: Streaming<Quote>) -> Result<impl Stream<Item = Result<Quote, Status>> + Send, Status>;
    async fn session(&self, cx: &Context, input: Streaming<Quote>, output: Outgoing<Quote>) -> Result<(), Status>;
}

struct Feed;

impl Ticker for Feed {
    async fn watch(&self, _: &Context, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        Ok(stream::iter([Ok(request)]))
    }
    async fn record(&self, _: &Context, mut quotes: Streaming<Quote>) -> Result<Quote, Status> {
        quotes.next().await.unwrap_or_else(|| Ok(Quote::default()))
    }
    async fn trade(&self, orders: Streaming<Quote>) -> Result<impl Stream<Item = Result<Quote, Status>> + Send, Status> {
        Ok(orders)
    }
    async fn session(&self, _: &Context, _: Streaming<Quote>, _: Outgoing<Quote>) -> Result<(), Status> {
        Ok(())
    }
}

pub struct FeedGateway;

#[rpc("ticker", detached)]
impl FeedGateway {
    #[message]
    async fn watch(&self, request: Quote) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        Ok(stream::iter([Ok(request)]))
    }

    #[message]
    async fn latest(&self) -> Result<Quote, Status> {
        Ok(Quote::default())
    }
}

fn main() {
    let _ = (Feed, FeedGateway);
}
