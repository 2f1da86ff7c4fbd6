//! Traits with methods of all kinds, and messages from here, from the module beside this one and from another crate.

use super::task::TasksContract as Task;
use futures_core::Stream;
use rpc_runtime::bytes::Bytes;
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

    /// Nothing comes back.
    #[message(one_way)]
    async fn remark(&self, text: String) -> Result<(), Status>;
}

/// Streams of scalars, in both directions.
#[contract(package = "ticker")]
pub trait Numbers {
    /// Counts down to 1.
    #[message(deadline = "2s")]
    async fn count(&self, from: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status>;

    /// Joins words.
    async fn join(&self, words: Streaming<String>) -> Result<String, Status>;

    /// Says of each part whether it is empty.
    async fn check(
        &self,
        parts: Streaming<Bytes>,
        cx: &Context,
    ) -> Result<impl Stream<Item = Result<bool, Status>>, Status>;

    /// Halves numbers, for as long as there are any.
    async fn halve(&self, input: Streaming<i64>, output: Outgoing<f64>) -> Result<(), Status>;

    /// Takes nothing, and gives nothing many times.
    async fn beat(&self) -> Result<impl Stream<Item = Result<(), Status>>, Status>;
}
