//! One span per call, with what it came to.

use std::time::Duration;

use futures_util::stream;
use rpc_runtime::{
    ClientBuilder, Code, Context, Server, Status,
    hub::{Anyone, Hub, Namespace},
    middleware::Outbound,
    services::hub::gateway,
};
use tower::layer::util::Identity;
use tracing::Level;

use crate::{
    collector::{Collector, Seen},
    service::{Item, amount, call, client, item, method, pair, until},
};

const SERVE: &str = "rpc::server serve";
const CALL: &str = "rpc::client call";

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

/// Checks what was counted, as messages and bytes.
fn counted(span: &Seen, requests: (&str, &str), responses: (&str, &str)) {
    let count = |side: &str| {
        (
            span.field(&format!("rpc.{side}.messages")).to_owned(),
            span.field(&format!("rpc.{side}.bytes")).to_owned(),
        )
    };
    let owned = |(messages, bytes): (&str, &str)| (messages.to_owned(), bytes.to_owned());
    assert_eq!(count("request"), owned(requests), "{span:?}");
    assert_eq!(count("response"), owned(responses), "{span:?}");
}

#[tokio::test]
async fn calls_of_every_kind_have_a_span_at_the_client_with_and_without_layers() {
    for layered in [false, true] {
        let configure = |client: ClientBuilder| {
            if layered {
                client.layer(Identity::new())
            } else {
                client
            }
        };

        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (_server, one, _) = client(configure);
        call(&one, "Echo", &item("abc")).await.unwrap();
        let seen = span(&collector, CALL).await;
        assert_eq!(
            (seen.field("rpc.method"), seen.field("rpc.status")),
            ("kinds.KindsService/Echo", "OK")
        );
        counted(&seen, ("1", "5"), ("1", "5"));

        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (_server, one, _) = client(configure);
        let mut items = one
            .server_streaming::<Item>(method("Count"), &amount(3))
            .await
            .unwrap();
        while items.message().await.unwrap().is_some() {}
        let seen = span(&collector, CALL).await;
        assert_eq!(seen.field("rpc.status"), "OK");
        counted(&seen, ("1", "2"), ("3", "4"));

        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (_server, one, _) = client(configure);
        let items = stream::iter((1..4).map(amount));
        one.client_streaming::<Item, Item>(method("Sum"), items)
            .await
            .unwrap();
        counted(&span(&collector, CALL).await, ("3", "6"), ("1", "2"));

        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (_server, one, _) = client(configure);
        let session = one.session(method("Chat"), async |output, mut input| {
            output.send(item("a")).await?;
            drop(output);
            while input.message().await?.is_some_and(|_: Item| true) {}
            tracing::info!("hung up");
            Ok(())
        });
        session.await.unwrap();
        let seen = span(&collector, CALL).await;
        assert_eq!(
            (seen.field("rpc.kind"), seen.field("rpc.status")),
            ("bidirectional", "OK")
        );
        counted(&seen, ("1", "3"), ("2", "8"));
        assert_eq!(
            collector.event("hung up").unwrap().inside.first().unwrap(),
            "call"
        );
    }
}

#[tokio::test]
async fn the_spans_of_calls_that_fail_at_the_client_have_their_codes() {
    for layered in [false, true] {
        let configure = |client: ClientBuilder| {
            if layered {
                client.layer(Identity::new())
            } else {
                client
            }
        };
        let (collector, _guard) = Collector::install(Level::DEBUG);
        let (_server, one, traces) = client(configure);
        call(&one, "Missing", &item("")).await.unwrap_err();
        call(&one, "Delay", &amount(1 << 40))
            .timeout(Duration::from_millis(5))
            .await
            .unwrap_err();
        let given_up = tokio::spawn(call(&one, "Delay", &amount(1 << 40)).into_future());
        until("the handler has started", || traces.started() == 3).await;
        given_up.abort();
        let _ = given_up.await;
        let dropped = one
            .server_streaming::<String>(method("Flood"), &item(""))
            .await
            .unwrap();
        drop(dropped);
        let codes: Vec<_> = collector
            .spans(CALL)
            .iter()
            .map(|seen| seen.field("rpc.status").to_owned())
            .collect();
        assert_eq!(
            codes,
            ["NOT_FOUND", "DEADLINE_EXCEEDED", "CANCELLED", "CANCELLED"]
        );
    }
}

#[tokio::test]
async fn an_interceptor_at_a_client_is_inside_of_the_calls_span() {
    let (collector, _guard) = Collector::install(Level::DEBUG);
    let (_server, client, _) = client(|client| {
        client.interceptor(|_: &mut Outbound| {
            tracing::info!("on its way");
            Err(Status::unavailable("not today"))
        })
    });
    call(&client, "Echo", &item("")).await.unwrap_err();
    let seen = span(&collector, CALL).await;
    assert_eq!(seen.field("rpc.status"), "UNAVAILABLE");
    assert_eq!(
        collector.event("on its way").unwrap().inside.first().unwrap(),
        "call"
    );
}

#[test]
fn a_server_whose_channels_nobody_can_subscribe_to_says_so_when_it_starts() {
    let text = "the server's hub has namespaces, and no client can subscribe: add \
                `.service(rpc_runtime::services::hub::gateway())`";
    let hub = || {
        Hub::builder()
            .namespace(Namespace::<()>::new("news").subscribe(Anyone))
            .build()
            .unwrap()
    };
    let builds = |builder: rpc_runtime::ServerBuilder| {
        let (collector, _guard) = Collector::install(Level::WARN);
        builder.build().unwrap();
        collector.event(text).is_some()
    };
    assert!(builds(Server::builder().hub(hub())));
    assert!(!builds(Server::builder().hub(hub()).service(gateway())));
    // A hub without channels sends to users and clients, for which nobody asks.
    assert!(!builds(Server::builder().hub(Hub::default())));
    assert!(!builds(Server::builder()));
}
