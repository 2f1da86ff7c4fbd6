//! Layers that tower has: timeouts, limits, load shedding and filters.

use std::time::Duration;

use rpc_runtime::{Code, Status, middleware::Call};
use tower::{ServiceBuilder, limit::ConcurrencyLimitLayer, timeout::TimeoutLayer};

use crate::service::{amount, call, item, pair, until};

#[tokio::test]
async fn a_timeout_is_a_deadline_exceeded_and_drops_the_handler() {
    let (client, traces) = pair(|server| server.layer(TimeoutLayer::new(Duration::from_millis(20))));
    let error = call(&client, "Delay", &amount(1 << 40)).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
    assert_eq!((traces.started(), traces.dropped()), (1, 1));
}

#[tokio::test]
async fn a_concurrency_limit_is_shared_by_all_calls() {
    let (client, traces) = pair(|server| server.layer(ConcurrencyLimitLayer::new(2)));
    let waiting: Vec<_> = (0..3)
        .map(|_| tokio::spawn(call(&client, "Delay", &amount(1 << 40)).into_future()))
        .collect();
    until("two handlers have started", || traces.started() == 2).await;
    // One round trip later the third has had every chance.
    let probe = tokio::spawn(call(&client, "Echo", &item("")).into_future());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(traces.started(), 2);
    waiting[0].abort();
    waiting[1].abort();
    waiting[2].abort();
    assert!(probe.await.unwrap().is_ok());
}

#[tokio::test]
async fn load_that_is_shed_is_unavailable() {
    let (client, traces) = pair(|server| {
        server.layer(
            ServiceBuilder::new()
                .load_shed()
                .concurrency_limit(1)
                .into_inner(),
        )
    });
    let waiting = tokio::spawn(call(&client, "Delay", &amount(1 << 40)).into_future());
    until("the handler has started", || traces.started() == 1).await;
    let error = call(&client, "Echo", &item("")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert!(error.status().unwrap().recoverable());
    waiting.abort();
    until("the handler is dropped", || traces.dropped() == 1).await;
    call(&client, "Echo", &item("")).await.unwrap();
}

#[tokio::test]
async fn a_rate_limit_behind_a_buffer_holds_for_all_calls() {
    let (client, traces) = pair(|server| {
        server.layer(
            ServiceBuilder::new()
                .load_shed()
                .buffer(1)
                .rate_limit(2, Duration::from_secs(3600))
                .into_inner(),
        )
    });
    call(&client, "Echo", &item("")).await.unwrap();
    call(&client, "Echo", &item("")).await.unwrap();
    let third = tokio::spawn(call(&client, "Echo", &item("")).into_future());
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!third.is_finished());
    assert_eq!(traces.started(), 2);
}

#[tokio::test]
async fn a_filter_refuses_with_its_status() {
    let filter = |call: Call| match call.metadata().get("token") {
        Some("secret") => Ok(call),
        _ => Err(Status::permission_denied("not with this token")),
    };
    let (client, traces) = pair(|server| server.layer(ServiceBuilder::new().filter(filter).into_inner()));
    let error = call(&client, "Echo", &item("")).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (Code::PermissionDenied, "not with this token")
    );
    assert_eq!(traces.started(), 0);
    call(&client, "Echo", &item(""))
        .metadata("token", "secret")
        .await
        .unwrap();
}
