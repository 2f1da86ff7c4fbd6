//! One span per call, with what it came to.

use futures_util::stream;
use rpc_runtime::{Code, Context, Status};
use tower::layer::util::Identity;
use tracing::Level;

use crate::{
    collector::{Collector, Seen},
    service::{Item, amount, call, item, method, pair, until},
};

const SERVE: &str = "rpc::server serve";

/// The one span of a side, once it is closed.
async fn span(collector: &Collector, name: &str) -> Seen {
    until("the span is closed", || !collector.spans(name).is_empty()).await;
    let mut spans = collector.spans(name);
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans.remove(0)
}

#[tokio::test]
async fn a_served_call_has_a_span_with_what_it_came_to_and_the_handlers_events_inside() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (client, _) = pair(|server| server);
    call(&client, "Echo", &item("abc")).await.unwrap();
    let span = span(&collector, SERVE).await;
    assert_eq!(span.field("rpc.method"), "kinds.KindsService/Echo");
    assert_eq!(span.field("rpc.kind"), "unary");
    assert_eq!(span.field("rpc.client").len(), 32);
    assert_eq!(span.field("rpc.stream"), "1");
    assert_eq!(span.field("rpc.status"), "OK");
    assert!(span.field("rpc.duration_us").parse::<u64>().is_ok());
    // A key, a length and three letters.
    assert_eq!(
        (
            span.field("rpc.request.messages"),
            span.field("rpc.request.bytes")
        ),
        ("1", "5")
    );
    assert_eq!(
        (
            span.field("rpc.response.messages"),
            span.field("rpc.response.bytes")
        ),
        ("1", "5")
    );
    assert_eq!(span.field("trace_id"), "");
    assert_eq!(
        collector.event("echoing").unwrap().inside.first().unwrap(),
        "serve"
    );
}

#[tokio::test]
async fn what_a_handler_logs_after_it_waited_and_on_a_task_of_its_own_is_inside_its_span() {
    for name in ["Delay", "DelayApart"] {
        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (client, _) = pair(|server| server);
        call(&client, name, &amount(5)).await.unwrap();
        let span = span(&collector, SERVE).await;
        assert_eq!(span.field("rpc.status"), "OK");
        assert_eq!(span.field("rpc.response.messages"), "1");
        assert_eq!(
            collector.event("waited").unwrap().inside.first().unwrap(),
            "serve"
        );
    }
}

#[tokio::test]
async fn the_spans_of_calls_that_fail_and_that_are_refused_have_their_codes() {
    let cases = [
        ("Missing", item(""), "NOT_FOUND"),
        ("Echo", item(&"x".repeat(21)), "INVALID_ARGUMENT"),
    ];
    for (name, request, code) in cases {
        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (client, _) = pair(|server| server);
        call(&client, name, &request).await.unwrap_err();
        let span = span(&collector, SERVE).await;
        assert_eq!(span.field("rpc.status"), code);
        assert_eq!(span.field("rpc.response.messages"), "0");
    }
}

#[tokio::test]
async fn a_call_of_an_unknown_method_has_a_span() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let server = rpc_runtime::Server::builder().build().unwrap();
    let client = crate::service::connect(&server);
    let error = call(&client, "Echo", &item("")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unimplemented));
    let span = span(&collector, SERVE).await;
    assert_eq!(span.field("rpc.status"), "UNIMPLEMENTED");
    assert_eq!(span.field("rpc.method"), "");
}

#[tokio::test]
async fn the_span_of_a_cancelled_call_says_so_and_its_handler_is_dropped_inside() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (client, traces) = pair(|server| server);
    let waiting = tokio::spawn(call(&client, "Delay", &amount(1 << 40)).into_future());
    until("the handler has started", || traces.started() == 1).await;
    waiting.abort();
    let span = span(&collector, SERVE).await;
    assert_eq!(span.field("rpc.status"), "CANCELLED");
    assert_eq!(
        collector.event("dropped").unwrap().inside.first().unwrap(),
        "serve"
    );
}

#[tokio::test]
async fn the_span_of_a_late_call_says_so() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (client, traces) = pair(|server| server);
    let late = call(&client, "Delay", &amount(1 << 40)).timeout(std::time::Duration::from_millis(20));
    late.await.unwrap_err();
    until("the handler is dropped", || traces.dropped() == 1).await;
    let span = span(&collector, SERVE).await;
    // Whether the server or the client saw it first.
    assert!(
        ["DEADLINE_EXCEEDED", "CANCELLED"].contains(&span.field("rpc.status")),
        "{span:?}"
    );
}

#[tokio::test]
async fn the_span_of_a_stream_covers_all_of_it_and_counts_its_messages() {
    for layered in [false, true] {
        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (client, _) = pair(|server| {
            if layered {
                server.layer(Identity::new())
            } else {
                server
            }
        });
        let mut items = client
            .server_streaming::<Item>(method("Count"), &amount(3))
            .await
            .unwrap();
        while items.message().await.unwrap().is_some() {}
        let span = span(&collector, SERVE).await;
        assert_eq!(span.field("rpc.kind"), "server_streaming");
        assert_eq!(span.field("rpc.status"), "OK");
        assert_eq!(
            (
                span.field("rpc.request.messages"),
                span.field("rpc.request.bytes")
            ),
            ("1", "2")
        );
        // The first is zero, which is not written.
        assert_eq!(
            (
                span.field("rpc.response.messages"),
                span.field("rpc.response.bytes")
            ),
            ("3", "4")
        );
        assert_eq!(
            collector.event("counting").unwrap().inside.first().unwrap(),
            "serve"
        );
        assert_eq!(
            collector.event("dropped").unwrap().inside.first().unwrap(),
            "serve"
        );
    }
}

#[tokio::test]
async fn the_messages_of_a_clients_stream_are_counted() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (client, _) = pair(|server| server);
    let items = stream::iter((1..4).map(amount));
    client
        .client_streaming::<Item, Item>(method("Sum"), items)
        .await
        .unwrap();
    let span = span(&collector, SERVE).await;
    assert_eq!(
        (
            span.field("rpc.request.messages"),
            span.field("rpc.request.bytes")
        ),
        ("3", "6")
    );
    assert_eq!(span.field("rpc.response.messages"), "1");
}

#[tokio::test]
async fn a_call_that_an_interceptor_refuses_has_a_span_and_the_interceptor_is_inside() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (client, _) = pair(|server| {
        server.interceptor(|_: &mut Context| {
            tracing::info!("intercepting");
            Err(Status::permission_denied("no"))
        })
    });
    call(&client, "Echo", &item("")).await.unwrap_err();
    let span = span(&collector, SERVE).await;
    assert_eq!(span.field("rpc.status"), "PERMISSION_DENIED");
    assert_eq!(
        collector.event("intercepting").unwrap().inside.first().unwrap(),
        "serve"
    );
}

#[tokio::test]
async fn where_nobody_collects_them_there_are_no_spans() {
    let (collector, _guard) = Collector::install(Level::INFO);
    let (client, _) = pair(|server| server);
    call(&client, "Echo", &item("")).await.unwrap();
    drop(client);
    assert!(collector.spans(SERVE).is_empty());
    assert!(collector.event("echoing").unwrap().inside.is_empty());
    assert_eq!(method("Echo").name, "Echo");
}
