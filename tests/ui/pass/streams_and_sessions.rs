//! Every kind of call, as a trait and as the handlers of a gateway.
#![deny(warnings)]

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

    /// Takes the request by its name alone.
    #[message("WatchAllRequest")]
    async fn watch_all(&self, cx: &Context) -> Result<impl Stream<Item = Result<u64, Status>>, Status> {
        Ok(stream::once(async move { Ok(cx.method().number) }))
    }

    #[message(name = "Record", deadline = "1m")]
    async fn store<'a>(&'a self, mut quotes: Streaming<Quote>, _: &'a Context) -> Result<u32, Status> {
        let mut count = 0;
        while let Some(quote) = quotes.next().await {
            quote?;
            count += 1;
        }
        Ok(count)
    }

    /// Borrows the gateway and the context for as long as it streams.
    #[message(idempotent)]
    async fn trade(
        &self,
        cx: &Context,
        orders: Streaming<Quote>,
    ) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        Ok(orders.map(move |order| {
            let _: &FeedGateway = self;
            Ok(format!("{} of {}", order?.symbol, cx.method().name))
        }))
    }

    #[message]
    async fn session(&self, output: Outgoing<i64>, input: Streaming<i64>, _: &Context) -> Result<(), Status> {
        input
            .for_each(async |number| {
                if let Ok(number) = number {
                    let _ = output.send(number).await;
                }
            })
            .await;
        Ok(())
    }

    #[message]
    async fn boxed(&self) -> Result<impl Stream<Item = Result<(), Status>>, Status> {
        Ok(stream::iter([Ok(())]).boxed())
    }
}

#[contract(package = "ticker", detached)]
pub struct WatchAllRequest {}

pub struct RelayGateway<S>(S);

#[rpc("ticker", detached)]
impl<S> RelayGateway<S>
where
    S: Ticker,
{
    #[message]
    async fn trade(
        &self,
        orders: Streaming<Quote>,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        self.0.trade(orders).await
    }
}

fn main() {
    let _ = (Feed, FeedGateway, RelayGateway(Feed));
}
