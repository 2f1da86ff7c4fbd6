//! A trait with methods of all four kinds, and messages from here, from the module beside this one and from another crate.

use super::task::TasksContract as Task;
use futures_core::Stream;
use rpc_runtime::{Context, Outgoing, Status, Streaming, contract};
use shared::Money;
use shared::places::Side;

/// Which price is asked for.
#[contract(package = "ticker")]
pub struct QuoteRequest {
    /// The ticker symbol.
    #[field(pattern = "^[A-Z]{1,5}$")]
    pub symbol: String,
    /// Where it is traded.
    pub side: Side,
}

/// A price at a time.
#[contract(package = "ticker")]
pub struct Quote {
    /// The ticker symbol.
    pub symbol: String,
    /// What one share costs.
    pub price: Money,
    /// What is to be done about it.
    pub todo: Option<Task>,
}

/// How many prices came in.
#[contract(package = "ticker")]
pub struct Summary {
    /// How many.
    pub count: u32,
}

/// Prices as they change.
#[contract(package = "ticker")]
pub trait Ticker {
    /// The price now.
    #[message(idempotent, deadline = "5s")]
    async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status>;

    /// Every price from now on.
    async fn watch(
        &self,
        cx: &Context,
        request: QuoteRequest,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;

    /// Takes prices in.
    async fn record(&self, cx: &Context, quotes: Streaming<Quote>) -> Result<Summary, Status>;

    /// Trades: orders in, prices out.
    async fn trade(
        &self,
        cx: &Context,
        orders: Streaming<QuoteRequest>,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;

    /// The same for as long as the method runs.
    async fn session(
        &self,
        cx: &Context,
        input: Streaming<QuoteRequest>,
        output: Outgoing<Quote>,
    ) -> Result<(), Status>;

    /// Neither takes nor gives.
    async fn ping(&self) -> Result<(), Status>;

    /// Scalars travel in their wrappers.
    async fn length(&self, text: String) -> Result<u64, Status>;
}
