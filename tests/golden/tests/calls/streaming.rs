//! Calls of which one side streams, or both.

use crate::services::{connect, connect_with_remarks};
use futures_util::{StreamExt, TryStreamExt, stream};
use golden::clock::NowRequest;
use golden::clock_client::ClockClient;
use golden::contracts::ticker::{Quote, QuoteRequest};
use golden::ticker::{NumbersClient, TickerClient};
use rpc_runtime::bytes::Bytes;
use rpc_runtime::{CallError, Code};
use shared::Money;
use tokio::sync::mpsc::unbounded_channel;

fn request(symbol: &str) -> QuoteRequest {
    QuoteRequest {
        symbol: symbol.into(),
        ..Default::default()
    }
}

fn quote(symbol: &str) -> Quote {
    Quote {
        symbol: symbol.into(),
        price: Money {
            currency: "EUR".into(),
            amount: 1,
        },
        todo: None,
    }
}

fn told(quotes: &[Quote]) -> Vec<(&str, i64)> {
    quotes
        .iter()
        .map(|quote| (quote.symbol.as_str(), quote.price.amount))
        .collect()
}

fn status(error: &CallError) -> (Option<Code>, &str) {
    let message = error.status().map_or("no status", |status| status.message());
    (error.code(), message)
}

#[tokio::test]
async fn a_server_streams_what_borrows_its_service_and_its_context() {
    let ticker = TickerClient::new(connect());
    let quotes = ticker.watch(request("ACME")).await.expect("the stream is open");
    let quotes: Vec<Quote> = quotes.try_collect().await.expect("it ends well");
    assert_eq!(
        told(&quotes),
        [("ACME of Watch", 1), ("ACME of Watch", 2), ("ACME of Watch", 3)]
    );
}

#[tokio::test]
async fn a_client_streams_and_gets_one_answer_or_the_status_that_ended_it_early() {
    let ticker = TickerClient::new(connect());
    let quotes = stream::iter(["A", "B", "C"]).map(quote);
    assert_eq!(ticker.record(quotes).await.expect("a summary").count, 3);
    let endless = stream::iter(["A", ""]).map(quote).chain(stream::pending());
    let error = ticker
        .record(endless)
        .await
        .expect_err("the second has no symbol");
    assert_eq!(status(&error), (Some(Code::OutOfRange), "quote 1 has no symbol"));
}

#[tokio::test]
async fn both_stream_at_once() {
    let ticker = TickerClient::new(connect());
    let (orders, mut waiting) = unbounded_channel();
    let requests = stream::poll_fn(move |cx| waiting.poll_recv(cx));
    let mut quotes = ticker.trade(requests).await.expect("the stream is open");
    for (symbol, amount) in [("A", 1), ("B", 2)] {
        // The next order is not there before the quote for this one is.
        orders.send(request(symbol)).expect("the call goes on");
        let quote = quotes.message().await.expect("it goes well").expect("a quote");
        assert_eq!(told(&[quote]), [(symbol, amount)]);
    }
    drop(orders);
    assert_eq!(quotes.message().await.expect("it ends well"), None);
}

#[tokio::test]
async fn a_session_is_run_by_a_closure_with_both_ends_reversed() {
    let ticker = TickerClient::new(connect());
    let mut seen = Vec::new();
    let error = ticker
        .session(async |output, mut input| {
            while let Some(quote) = input.message().await? {
                if seen.is_empty() {
                    output.send(request("A")).await?;
                    output.send(request("B")).await?;
                }
                seen.push(quote.symbol);
                if seen.len() == 3 {
                    break;
                }
            }
            drop(output);
            input.message().await
        })
        .await
        .expect_err("the server's method fails once the input has ended");
    assert_eq!(seen, ["HELLO", "A", "B"]);
    assert_eq!(status(&error), (Some(Code::Aborted), "the market closes"));
}

#[tokio::test]
async fn scalars_and_nothing_are_requests_responses_and_items() {
    let numbers = NumbersClient::new(connect());
    let counted = numbers.count(3).await.expect("the stream is open");
    assert_eq!(
        counted.try_collect::<Vec<u32>>().await.expect("it ends well"),
        [3, 2, 1]
    );
    let error = numbers.count(0).await.expect_err("it is not opened");
    assert_eq!(
        status(&error),
        (Some(Code::InvalidArgument), "there is nothing to count")
    );

    let words = stream::iter(["to", "be"]).map(str::to_owned);
    assert_eq!(numbers.join(words).await.expect("a sentence"), "to be");

    let parts = stream::iter([Bytes::from_static(b"x"), Bytes::new()]);
    let checked = numbers.check(parts).await.expect("the stream is open");
    assert_eq!(
        checked.try_collect::<Vec<bool>>().await.expect("it ends well"),
        [false, true]
    );

    let halves = numbers
        .halve(async |output, input| {
            output.send(3).await?;
            output.send(-4).await?;
            drop(output);
            input.try_collect::<Vec<f64>>().await
        })
        .await
        .expect("it ends well");
    assert_eq!(halves, [1.5, -2.0]);

    let beats = numbers.beat().await.expect("the stream is open");
    assert_eq!(
        beats.try_collect::<Vec<()>>().await.expect("it ends well"),
        [(), ()]
    );
}

#[tokio::test]
async fn a_hand_written_gateway_streams_like_a_generated_one() {
    let clock = ClockClient::new(connect());
    let ticks = clock.ticks(2).await.expect("the stream is open");
    let offsets: Vec<i32> = ticks
        .map_ok(|tick| tick.offset)
        .try_collect()
        .await
        .expect("it ends well");
    assert_eq!(offsets, [1, 2]);

    assert_eq!(clock.sum(stream::iter([1, 2, 39])).await.expect("a sum"), 42);

    let lines = stream::iter(["one", "two"]).map(str::to_owned);
    let echoes = clock.echo(lines).await.expect("the stream is open");
    assert_eq!(
        echoes.try_collect::<Vec<String>>().await.expect("it ends well"),
        ["Echo: one", "Echo: two"]
    );

    let offset = clock
        .session(async |output, mut input| {
            output.send(NowRequest { offset: 5 }).await?;
            Ok(input.message().await?.map(|now| now.offset))
        })
        .await
        .expect("it ends well");
    assert_eq!(offset, Some(5));
}

#[tokio::test]
async fn the_rules_of_a_contract_hold_for_each_item_of_a_stream() {
    let clock = ClockClient::new(connect());
    let error = clock
        .session(async |output, mut input| {
            output.send(NowRequest { offset: 15 }).await?;
            input.message().await
        })
        .await
        .expect_err("no zone is so far ahead");
    assert_eq!(error.code(), Some(Code::InvalidArgument));
    assert!(error.to_string().contains("offset"), "{error}");
}

#[tokio::test]
async fn nothing_comes_back_from_a_one_way_call() {
    let (client, mut remarked) = connect_with_remarks();
    let ticker = TickerClient::new(client);
    ticker.remark("noted".into()).await.expect("it is on its way");
    assert_eq!(remarked.recv().await.as_deref(), Some("noted"));
}
