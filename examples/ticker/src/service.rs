//! The service: what each call does. Each method shows one kind of call.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Context, Outgoing, Status, Streaming};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::contracts::{
    Fill, Order, Quote, QuoteRequest, ReportRequest, Summary, Ticker, WatchRequest, Wish,
};
use crate::market;

/// How long a price stands where nobody says otherwise.
const EVERY: Duration = Duration::from_millis(100);

/// Where the service tells what happens to it: a log, or whoever shows it.
pub(crate) type Tell = Arc<dyn Fn(String) + Send + Sync>;

/// The market.
pub(crate) struct Market {
    pub(crate) tell: Tell,
}

impl Ticker for Market {
    async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status> {
        cx.set_metadata("market", "open");
        if let Some(trader) = cx.metadata().get("trader") {
            cx.set_metadata("seat", format!("kept for {trader}"));
        }
        market::quote(&request.symbol, 0)
    }

    async fn watch(
        &self,
        _cx: &Context,
        request: WatchRequest,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        let WatchRequest { symbol, every } = request;
        // Before the stream is open: a symbol that is not listed fails the call itself.
        market::quote(&symbol, 0)?;
        let mut clock = interval(every.unwrap_or(EVERY).max(Duration::from_millis(1)));
        // A reader that is slow gets the next price a while later, and not several at once.
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watch = Watch {
            tell: &self.tell,
            symbol,
            tick: 0,
        };
        // The stream borrows the service. It is polled while its client takes what it gives, and dropped, with the
        // watch in it, as soon as nobody wants it any more.
        Ok(stream::unfold((watch, clock), async |(mut watch, mut clock)| {
            clock.tick().await;
            let quote = market::quote(&watch.symbol, watch.tick);
            watch.tick += 1;
            Some((quote, (watch, clock)))
        }))
    }

    async fn record(&self, _cx: &Context, mut quotes: Streaming<Quote>) -> Result<Summary, Status> {
        let mut summary = Summary::default();
        while let Some(quote) = quotes.message().await? {
            add(&mut summary, quote.cents);
        }
        Ok(summary)
    }

    async fn trade(
        &self,
        cx: &Context,
        orders: Streaming<Order>,
    ) -> Result<impl Stream<Item = Result<Fill, Status>>, Status> {
        let holdings = BTreeMap::<String, i64>::new();
        Ok(orders.enumerate().scan(holdings, move |holdings, (tick, order)| {
            let fill = order.and_then(|order| fill(holdings, order, tick as u64));
            // Sent behind the last fill, as it is when the stream ends.
            cx.set_trailer("orders", (tick + 1).to_string());
            std::future::ready(Some(fill))
        }))
    }

    async fn desk(
        &self,
        cx: &Context,
        mut wishes: Streaming<Wish>,
        quotes: Outgoing<Quote>,
    ) -> Result<(), Status> {
        // Runs when the call is over, however it ends.
        let tell = self.tell.clone();
        cx.on_close(async move { tell("the desk is closed".to_owned()) });
        let mut followed = BTreeMap::<String, u64>::new();
        let mut clock = interval(EVERY);
        loop {
            tokio::select! {
                wish = wishes.message() => match wish? {
                    Some(Wish::Follow(symbol)) => {
                        market::quote(&symbol, 0)?;
                        followed.insert(symbol, 0);
                    }
                    Some(Wish::Forget(symbol)) => drop(followed.remove(&symbol)),
                    Some(Wish::Nothing) => {}
                    // Neither is there to be heard from again: the client is done, or gone.
                    None => return Ok(()),
                },
                // The client takes it up again, at whoever serves next.
                () = cx.stopping() => return Err(Status::unavailable("the market closes")),
                _ = clock.tick() => {
                    for (symbol, tick) in &mut followed {
                        quotes.send(market::quote(symbol, *tick)?).await?;
                        *tick += 1;
                    }
                }
            }
        }
    }

    async fn report(&self, _cx: &Context, request: ReportRequest) -> Result<Summary, Status> {
        let mut reading = Reading {
            tell: &self.tell,
            done: false,
        };
        let mut summary = Summary::default();
        for tick in 0..request.ticks {
            add(&mut summary, market::quote(&request.symbol, tick)?.cents);
            sleep(Duration::from_millis(1)).await;
        }
        reading.done = true;
        Ok(summary)
    }

    async fn shout(&self, text: String) -> Result<(), Status> {
        (self.tell)(format!("somebody shouts: {text}"));
        Ok(())
    }
}

/// Carries one order out.
fn fill(holdings: &mut BTreeMap<String, i64>, order: Order, tick: u64) -> Result<Fill, Status> {
    let Order { symbol, shares } = order;
    let cents = market::quote(&symbol, tick)?.cents;
    let held = holdings.entry(symbol.clone()).or_default();
    if *held + shares < 0 {
        return Err(Status::failed_precondition(format!(
            "{} {symbol} cannot be sold: {held} are held",
            -shares
        )));
    }
    *held += shares;
    Ok(Fill {
        symbol,
        shares,
        cents,
        holding: *held,
    })
}

fn add(summary: &mut Summary, cents: i64) {
    let first = summary.count == 0;
    summary.count += 1;
    summary.lowest_cents = if first {
        cents
    } else {
        summary.lowest_cents.min(cents)
    };
    summary.highest_cents = summary.highest_cents.max(cents);
}

/// A watch, which ends by being dropped.
struct Watch<'a> {
    tell: &'a Tell,
    symbol: String,
    tick: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        (self.tell)(format!("nobody watches {} any more", self.symbol));
    }
}

/// Somebody in the archive, who is sent home by being dropped.
struct Reading<'a> {
    tell: &'a Tell,
    done: bool,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if !self.done {
            (self.tell)("the report was given up".to_owned());
        }
    }
}
