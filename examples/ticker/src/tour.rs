//! Every kind of call in one run: a server, a client, and what each of them sees.

mod cable;

use std::fmt::Display;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use rpc_runtime::text::one_line;
use rpc_runtime::{CallError, Code, Limits};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Notify, oneshot};

use crate::contracts::{Order, QuoteRequest, ReportRequest, WatchRequest, Wish};
use crate::failure::Failure;
use crate::{TickerClient, market, server, text};
use cable::Cable;

/// Runs it.
pub(crate) async fn run() -> Result<(), Failure> {
    let (tell, told) = unbounded_channel();
    let tell = Arc::new(move |text: String| {
        // The tour may be over before the market is.
        let _ = tell.send(text);
    });
    let listener = server::bind("127.0.0.1:0").await?;
    let url = server::url(&listener)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server::run(listener, tell, Limits::default(), async {
        let _ = stopped.await;
    }));
    let cable = Cable::to(&url).await?;
    line(format_args!(
        "A market on {url}, and a client in the same process."
    ));

    let tour = Tour {
        ticker: TickerClient::connect(&cable.url).await?,
        told,
    };
    tour.show(&cable).await?;
    let _ = stop.send(());
    serving.await.unwrap_or(Ok(()))
}

/// A client, and what the market tells of itself.
struct Tour {
    ticker: TickerClient,
    told: UnboundedReceiver<String>,
}

impl Tour {
    async fn show(mut self, cable: &Cable) -> Result<(), Failure> {
        self.unary().await?;
        self.server_streaming().await?;
        self.client_streaming().await?;
        self.bidirectional().await?;
        self.session().await?;
        self.one_way().await?;
        self.deadline().await?;
        self.reconnect(cable).await
    }

    /// One message each way, with metadata beside them.
    async fn unary(&mut self) -> Result<(), Failure> {
        title("unary: quote");
        let request = QuoteRequest {
            symbol: "ACME".into(),
        };
        let call = self.ticker.quote(request).metadata("trader", "ada");
        let reply = call.with_metadata().await?;
        say(text::quote(&reply.value));
        for key in ["market", "seat"] {
            say(format_args!(
                "metadata: {key} is {}",
                reply.metadata.get(key).unwrap_or("not said")
            ));
        }
        Ok(())
    }

    /// A stream of prices, which is cancelled by dropping it.
    async fn server_streaming(&mut self) -> Result<(), Failure> {
        title("server streaming: watch, and cancel");
        let mut quotes = self.ticker.watch(watch("ACME")).await?;
        for _ in 0..3 {
            if let Some(quote) = quotes.message().await? {
                say(text::quote(&quote));
            }
        }
        say("enough: the client drops the stream");
        drop(quotes);
        self.market_tells().await;
        let error = self.ticker.watch(watch("ACNE")).await.err();
        say(format_args!("ACNE: {}", outcome(error)));
        Ok(())
    }

    /// Prices the other way, and one answer.
    async fn client_streaming(&mut self) -> Result<(), Failure> {
        title("client streaming: record");
        let day: Vec<_> = (0..8).map(|tick| market::quote("GLOBEX", tick)).collect();
        let day: Vec<_> = day.into_iter().collect::<Result<_, _>>()?;
        let summary = self.ticker.record(stream::iter(day)).await?;
        say(text::summary(&summary));
        Ok(())
    }

    /// Each order is sent when the one before it is filled.
    async fn bidirectional(&mut self) -> Result<(), Failure> {
        title("bidirectional: trade");
        let (orders, mut waiting) = unbounded_channel();
        let mut fills = self
            .ticker
            .trade(stream::poll_fn(move |cx| waiting.poll_recv(cx)))
            .await?;
        for shares in [10, -4] {
            // It fails where the call is over, which the fills tell better.
            let _ = orders.send(order(shares));
            if let Some(fill) = fills.message().await? {
                say(text::fill(&fill));
            }
        }
        drop(orders);
        let end = fills.message().await?;
        if end.is_none() {
            let count = fills.trailers().get("orders");
            say(format_args!(
                "trailers: orders is {}",
                count.unwrap_or("not said")
            ));
        }

        let mut fills = self.ticker.trade(stream::iter([10, -11]).map(order)).await?;
        while let Some(fill) = fills.next().await {
            match fill {
                Ok(fill) => say(text::fill(&fill)),
                Err(status) => say(outcome(Some(status.into()))),
            }
        }
        Ok(())
    }

    /// The ends of the method, reversed: a closure has them for as long as it runs.
    async fn session(&mut self) -> Result<(), Failure> {
        title("session: desk");
        let session = self.ticker.desk(async |wishes, mut quotes| {
            wishes.send(Wish::Follow("ACME".into())).await?;
            for _ in 0..2 {
                if let Some(quote) = quotes.message().await? {
                    say(text::quote(&quote));
                }
            }
            say("the client follows INITECH instead");
            wishes.send(Wish::Forget("ACME".into())).await?;
            wishes.send(Wish::Follow("INITECH".into())).await?;
            while let Some(quote) = quotes.message().await? {
                // A price of ACME may have been on its way.
                if quote.symbol == "INITECH" {
                    say(text::quote(&quote));
                    break;
                }
            }
            Ok(())
        });
        session.await?;
        self.market_tells().await;
        Ok(())
    }

    /// Nothing comes back.
    async fn one_way(&mut self) -> Result<(), Failure> {
        title("one way: shout");
        self.ticker.shout("anybody selling?".into()).await?;
        self.market_tells().await;
        Ok(())
    }

    /// The contract says how long the method may take; both ends hold to it.
    async fn deadline(&mut self) -> Result<(), Failure> {
        title("deadline: report");
        let report = |ticks| {
            let symbol = "ACME".into();
            self.ticker.report(ReportRequest { symbol, ticks })
        };
        say(text::summary(&report(3).await?));
        let error = report(100_000).await.err();
        // Whose clock is the first to say so differs from run to run; that it is over does not.
        match error.as_ref().and_then(CallError::code) {
            Some(Code::DeadlineExceeded) => say("100000 prices: DEADLINE_EXCEEDED, after a second"),
            _ => say(format_args!("100000 prices: {}", outcome(error))),
        }
        self.market_tells().await;
        Ok(())
    }

    /// The connection breaks while a session is open and a call is wanted.
    async fn reconnect(&mut self, cable: &Cable) -> Result<(), Failure> {
        title("reconnect: a desk, and a cable that is pulled");
        let (opened, seen) = (&AtomicU32::new(0), &Notify::new());
        let session = self.ticker.desk_with_reconnect(|wishes, mut quotes| async move {
            let again = opened.fetch_add(1, Ordering::Relaxed) > 0;
            wishes.send(Wish::Follow("GLOBEX".into())).await?;
            if let Some(quote) = quotes.message().await? {
                let when = if again { "again: " } else { "" };
                say(format_args!("{when}{}", text::quote(&quote)));
                seen.notify_one();
            }
            // The second time, that is enough. The first time it goes on, until the connection is gone.
            while !again && quotes.message().await?.is_some() {}
            Ok(())
        });
        let ticker = self.ticker.clone();
        let told = &mut self.told;
        let director = async {
            seen.notified().await;
            say("the cable is pulled");
            cable.pull();
            market_tells(told).await;
            let symbol = "ACME".into();
            // Nobody knows how long it takes; the caller would rather wait than hear of it.
            let quote = ticker.quote(QuoteRequest { symbol }).wait_for_ready();
            let quote = async { quote.await };
            let plug = async {
                say("the cable is back");
                cable.plug();
            };
            let (quote, ()) = tokio::join!(quote, plug);
            quote
        };
        let (session, quote) = tokio::join!(async { session.await }, director);
        session?;
        say(format_args!("waited for: {}", text::quote(&quote?)));
        self.market_tells().await;
        Ok(())
    }

    async fn market_tells(&mut self) {
        market_tells(&mut self.told).await;
    }
}

/// Prints the next thing that the market tells of itself.
async fn market_tells(told: &mut UnboundedReceiver<String>) {
    if let Some(text) = told.recv().await {
        say(format_args!("market: {text}"));
    }
}

fn watch(symbol: &str) -> WatchRequest {
    WatchRequest {
        symbol: symbol.into(),
        every: Some(Duration::from_millis(50)),
    }
}

fn order(shares: i64) -> Order {
    Order {
        symbol: "ACME".into(),
        shares,
    }
}

/// What a call that should fail came to.
fn outcome(error: Option<CallError>) -> String {
    match error {
        Some(error) => error.to_string(),
        None => "it went well, which it should not".to_owned(),
    }
}

fn title(text: &str) {
    line(format_args!("\n{text}"));
}

fn say(text: impl Display) {
    line(format_args!("  {}", one_line(&text.to_string())));
}

fn line(text: impl Display) {
    // That nobody reads it is no reason to stop.
    let _ = writeln!(std::io::stdout(), "{text}");
}
