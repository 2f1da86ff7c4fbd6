//! What goes over the wire: prices, orders, and a service that streams them in every way that a call can stream.

use std::time::Duration;

use futures_util::Stream;
use rpc_runtime::{Context, Outgoing, Status, Streaming, contract};

/// Asks for a price.
#[contract(package = "ticker")]
pub struct QuoteRequest {
    /// What is traded.
    #[field(pattern = "^[A-Z]{1,8}$")]
    pub symbol: String,
}

/// A price.
#[contract(package = "ticker")]
pub struct Quote {
    /// What is traded.
    #[field(pattern = "^[A-Z]{1,8}$")]
    pub symbol: String,
    /// How often the price had changed before.
    pub tick: u64,
    /// What one share costs.
    #[field(range = 1..)]
    pub cents: i64,
}

/// Asks for a price and how it goes on.
#[contract(package = "ticker")]
pub struct WatchRequest {
    /// What is traded.
    #[field(pattern = "^[A-Z]{1,8}$")]
    pub symbol: String,
    /// How long a price stands, 100 ms if nothing is said; no less than 1 ms.
    pub every: Option<Duration>,
}

/// What became of several prices.
#[contract(package = "ticker")]
pub struct Summary {
    /// How many there were.
    pub count: u64,
    /// The lowest.
    pub lowest_cents: i64,
    /// The highest.
    pub highest_cents: i64,
}

/// Buys or sells.
#[contract(package = "ticker")]
pub struct Order {
    /// What is traded.
    #[field(pattern = "^[A-Z]{1,8}$")]
    pub symbol: String,
    /// How many are bought, or sold where it is negative.
    #[field(proto = "sint64", range = -1000..=1000)]
    pub shares: i64,
}

/// An order that was carried out.
#[contract(package = "ticker")]
pub struct Fill {
    /// What was traded.
    pub symbol: String,
    /// How many were bought, or sold where it is negative.
    #[field(proto = "sint64")]
    pub shares: i64,
    /// What one share cost.
    pub cents: i64,
    /// How many are held now.
    pub holding: i64,
}

/// What a desk is told.
#[contract(package = "ticker")]
pub enum Wish {
    /// Nothing that this server knows.
    #[default]
    Nothing,
    /// To tell the prices of this symbol from now on.
    Follow(String),
    /// To tell them no more.
    Forget(String),
}

/// Asks for a report.
#[contract(package = "ticker")]
pub struct ReportRequest {
    /// What is traded.
    #[field(pattern = "^[A-Z]{1,8}$")]
    pub symbol: String,
    /// Over how many prices; each takes the archive a millisecond.
    #[field(range = 1..=100_000)]
    pub ticks: u64,
}

/// Tells, with `NOT_FOUND`, what there is instead.
#[contract(package = "ticker")]
pub struct Listing {
    /// What can be asked for.
    pub symbols: Vec<String>,
}

/// Prices as they change.
#[contract(package = "ticker")]
pub trait Ticker {
    /// The first price of the day. The metadata of the answer say whether the market is open.
    #[message(idempotent)]
    async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status>;

    /// Every price of the day, one after the other.
    async fn watch(
        &self,
        cx: &Context,
        request: WatchRequest,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status>;

    /// Takes prices in and says what they were like.
    async fn record(&self, cx: &Context, quotes: Streaming<Quote>) -> Result<Summary, Status>;

    /// Carries orders out, each before the next is read.
    async fn trade(
        &self,
        cx: &Context,
        orders: Streaming<Order>,
    ) -> Result<impl Stream<Item = Result<Fill, Status>>, Status>;

    /// Tells the prices of what is followed at the moment, for as long as the desk is open.
    async fn desk(
        &self,
        cx: &Context,
        wishes: Streaming<Wish>,
        quotes: Outgoing<Quote>,
    ) -> Result<(), Status>;

    /// Reads the archive, for a second at most.
    #[message(idempotent, deadline = "1s")]
    async fn report(&self, cx: &Context, request: ReportRequest) -> Result<Summary, Status>;

    /// Hears what a trader has to say, and does not answer.
    #[message(one_way)]
    async fn shout(&self, text: String) -> Result<(), Status>;
}
