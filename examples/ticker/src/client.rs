//! The commands that call a server.

use std::io::Write;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::ConnectionState;
use rpc_runtime::text::one_line;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::oneshot;

use crate::cli::{ClientCommand, ClientOptions};
use crate::contracts::{QuoteRequest, ReportRequest, WatchRequest, Wish};
use crate::failure::{Exit, Failure};
use crate::{TickerClient, text};

/// Runs a command, which prints what comes as it comes.
pub(crate) async fn run(command: ClientCommand) -> Result<(), Failure> {
    match command {
        ClientCommand::Quote { symbol, options } => {
            let ticker = connect(&options).await?;
            let quote = ticker.quote(QuoteRequest { symbol }).await?;
            print(&text::quote(&quote))
        }
        ClientCommand::Watch {
            symbol,
            every,
            count,
            options,
        } => {
            let ticker = connect(&options).await?;
            let every = Some(Duration::from_millis(every.into()));
            let mut quotes = ticker.watch(WatchRequest { symbol, every }).await?;
            let mut left = count.unwrap_or(usize::MAX);
            while left > 0
                && let Some(quote) = quotes.message().await?
            {
                print(&text::quote(&quote))?;
                left -= 1;
            }
            // Where there is more to come, dropping the stream says that it is not wanted.
            Ok(())
        }
        ClientCommand::Record { options } => {
            let ticker = connect(&options).await?;
            let (quotes, failed) = lines(text::read_quote);
            tokio::select! {
                // The summary of what came before a line that says nothing is not what was asked for.
                biased;
                Ok(failure) = failed => Err(failure),
                summary = ticker.record(quotes) => print(&text::summary(&summary?)),
            }
        }
        ClientCommand::Trade { options } => {
            let ticker = connect(&options).await?;
            let (orders, mut failed) = lines(|line, _| text::read_order(line));
            let mut fills = ticker.trade(orders).await?;
            while let Some(fill) = fills.message().await? {
                print(&text::fill(&fill))?;
            }
            failed.try_recv().map_or(Ok(()), Err)
        }
        ClientCommand::Desk {
            symbols,
            count,
            options,
        } => desk(&connect(&options).await?, &symbols, count.unwrap_or(usize::MAX)).await,
        ClientCommand::Report {
            symbol,
            ticks,
            options,
        } => {
            let ticker = connect(&options).await?;
            let summary = ticker.report(ReportRequest { symbol, ticks }).await?;
            print(&text::summary(&summary))
        }
        ClientCommand::Shout { text, options } => {
            let ticker = connect(&options).await?;
            ticker.shout(text).await?;
            // Nothing comes back, also not that it has left this program, which is about to end. An answer to what was
            // asked after it tells that it has arrived.
            let symbol = "ACME".to_owned();
            ticker.quote(QuoteRequest { symbol }).await?;
            Ok(())
        }
    }
}

/// Follows symbols; when the server went away and is back, it is told again which. Both are said beside the output.
async fn desk(ticker: &TickerClient, symbols: &[String], count: usize) -> Result<(), Failure> {
    let left = &AtomicUsize::new(count);
    let call = ticker.desk_with_reconnect(|wishes, mut quotes| async move {
        for symbol in symbols {
            wishes.send(Wish::Follow(symbol.clone())).await?;
        }
        while let Some(quote) = quotes.message().await? {
            if print(&text::quote(&quote)).is_err() || left.fetch_sub(1, Ordering::Relaxed) == 1 {
                break;
            }
        }
        Ok(())
    });
    let mut call = pin!(call.into_future());
    let mut states = ticker.client().state_changes().fuse();
    let mut is_lost = false;
    loop {
        tokio::select! {
            biased;
            Some(state) = states.next() => tell(&state, &mut is_lost),
            done = &mut call => return Ok(done?),
        }
    }
}

/// Says that the connection is lost, and that it is back: nobody would know why no more prices come.
fn tell(state: &ConnectionState, is_lost: &mut bool) {
    let text = match state {
        ConnectionState::Waiting { .. } if !*is_lost => "the connection is lost; it is made again",
        ConnectionState::Connected if *is_lost => "connected again",
        _ => return,
    };
    *is_lost = !*is_lost;
    // Who closes the standard error does not want to hear it.
    let _ = writeln!(std::io::stderr(), "{text}");
}

async fn connect(options: &ClientOptions) -> Result<TickerClient, Failure> {
    match options.server.starts_with("ws://") {
        true => Ok(TickerClient::connect(&options.server).await?),
        false => Err(Failure::new(
            Exit::Usage,
            format!(
                "{:?} is no server's URL: it begins with ws://, as in ws://127.0.0.1:3001/rpc",
                options.server
            ),
        )),
    }
}

/// The lines of the standard input as messages. They end at one that cannot be read, and why is told apart: a stream of
/// requests has no errors.
fn lines<Q: Send + 'static>(
    read: impl Fn(&str, u64) -> Result<Q, Failure> + Send + 'static,
) -> (impl Stream<Item = Q> + Send + 'static, oneshot::Receiver<Failure>) {
    let (fail, failed) = oneshot::channel();
    let lines = BufReader::new(tokio::io::stdin()).lines();
    let messages = stream::unfold((lines, read, fail, 0), async |(mut lines, read, fail, at)| {
        let line = match lines.next_line().await {
            Ok(line) => line?,
            Err(error) => {
                let text = format!("the standard input cannot be read: {error}");
                // Nobody listens any more where the call is over.
                let _ = fail.send(Failure::new(Exit::Failed, text));
                return None;
            }
        };
        match read(&line, at) {
            Ok(message) => Some((message, (lines, read, fail, at + 1))),
            Err(failure) => {
                let _ = fail.send(failure);
                None
            }
        }
    });
    (messages, failed)
}

/// Prints a line. That whoever reads has read enough, as in `ticker watch ACME | head -1`, ends the command well.
fn print(line: &str) -> Result<(), Failure> {
    writeln!(std::io::stdout(), "{}", one_line(line)).map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
        _ => Failure::new(Exit::Failed, format!("cannot write the output: {error}")),
    })
}
