//! When a client connects, what is seen of it, and how it ends.

use std::time::Duration;

use futures_util::StreamExt;
use rpc_protocol::{FrameKind, frame::Compression};
use rpc_runtime::{CallError, ClientLimits, CloseCode, ConnectionState, Reconnect};
use tokio::time::Instant;

use crate::{
    by_hand::by_hand,
    service::{Note, call, method, note, serve, until},
};

/// The states up to the last, without their times.
fn name(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Idle => "idle",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Waiting { .. } => "waiting",
        ConnectionState::Closed => "closed",
        _ => "another",
    }
}

#[tokio::test(start_paused = true)]
async fn a_lazy_client_connects_with_its_first_call_and_all_calls_share_the_connection() {
    let (server, _) = serve();
    let client = server.client();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((client.state(), server.connections()), (ConnectionState::Idle, 0));
    let calls = (0..10).map(|number| {
        let call = call(&client, "Echo", &note(number));
        async move { call.await.unwrap().number }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(answers, (0..10).collect::<Vec<_>>());
    assert_eq!(
        (client.state(), server.connections()),
        (ConnectionState::Connected, 1)
    );
}

#[test]
fn a_lazy_client_may_be_made_outside_of_a_runtime() {
    let client = rpc_runtime::Client::lazy("ws://127.0.0.1:1/rpc").unwrap();
    assert_eq!(client.state(), ConnectionState::Idle);
}

#[tokio::test(start_paused = true)]
async fn every_state_is_seen_in_its_order() {
    let (server, _) = serve();
    let client = server.client();
    let mut changes = client.state_changes();
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        while let Some(state) = changes.next().await {
            seen.push(name(state));
        }
        seen
    });
    client.ready().await.unwrap();
    server.disconnect_all().await;
    client.ready().await.unwrap();
    client.close(CloseCode::Normal, "done");
    assert_eq!(
        seen.await.unwrap(),
        [
            "idle",
            "connecting",
            "connected",
            "waiting",
            "connecting",
            "connected",
            "closed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn close_reaches_the_server_with_its_code_and_fails_running_calls_and_those_to_come() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut end = ends.next().await;
    end.request().await;
    client.close(CloseCode::Other(4_321), "enough");
    client.close(CloseCode::Normal, "is too late");
    assert_eq!(end.closed().await, 4_321);
    match running.await.unwrap() {
        Err(error @ CallError::Closed(_)) => assert!(error.may_have_run()),
        other => panic!("{other:?}"),
    }
    match call(&client, "Echo", &Note::default()).await {
        Err(error @ CallError::Closed(_)) => assert!(!error.may_have_run()),
        other => panic!("{other:?}"),
    }
    let closed = client.closed().await;
    assert_eq!(
        (closed.close_code(), closed.reason()),
        (CloseCode::Other(4_321), "enough")
    );
    assert_eq!(client.state(), ConnectionState::Closed);
    assert!(ends.is_empty().await, "a closed client does not come back");
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_takes_the_connection_with_it_once_no_call_is_running() {
    let (server, traces) = serve();
    let client = server.client();
    let other = client.clone();
    let running = tokio::spawn(call(&client, "Write", &note(7)).into_future());
    until("it runs", || traces.started() == 1).await;
    drop((client, other));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(traces.dropped(), 0, "the call holds it");
    traces.release.notify_one();
    assert_eq!(running.await.unwrap().unwrap(), note(7));
    server.disconnect_all().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(server.connections(), 1, "nobody comes back");
}

#[tokio::test(start_paused = true)]
async fn one_way_calls_arrive_although_the_client_is_closed_right_behind_them() {
    let (server, traces) = serve();
    let client = server.client();
    let large = Note {
        blob: vec![7; 700 << 10].into(),
        ..Note::default()
    };
    for _ in 0..3 {
        client.unary::<()>(method("Leave"), &large).await.unwrap();
    }
    client.close(CloseCode::Normal, "");
    let closed = client.closed().await;
    assert_eq!(closed.close_code(), CloseCode::Normal);
    assert_eq!(traces.produced(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_nothing_holds_no_close_up() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let end = ends.next().await;
    let large = Note {
        blob: vec![7; 3 << 20].into(),
        ..Note::default()
    };
    client.unary::<()>(method("Leave"), &large).await.unwrap();
    let began = Instant::now();
    client.close(CloseCode::Normal, "");
    client.closed().await;
    assert!(began.elapsed() <= Duration::from_secs(5), "{:?}", began.elapsed());
    drop(end);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_with_1000() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let end = ends.next().await;
    drop(client);
    assert_eq!(end.closed().await, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_holds_stops_trying() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    ends.next().await.close(1012).await;
    until("it waits", || name(client.state()) == "waiting").await;
    let mut changes = client.state_changes();
    drop(client);
    let last = tokio::time::timeout(Duration::from_secs(1), async {
        let mut last = None;
        while let Some(state) = changes.next().await {
            last = Some(state);
        }
        last
    });
    assert_eq!(last.await.unwrap(), Some(ConnectionState::Closed));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(ends.is_empty().await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reconnects_is_closed_with_its_connection() {
    let (server, _) = serve();
    let client = server.builder().reconnect(Reconnect::never()).lazy().unwrap();
    client.ready().await.unwrap();
    server.disconnect_all().await;
    assert_eq!(client.closed().await.close_code(), CloseCode::Abnormal);
    let error = call(&client, "Read", &Note::default()).await.unwrap_err();
    assert!(
        matches!(error, CallError::Closed(_)) && !error.may_have_run(),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_clients_greeting_tells_its_limits_and_that_it_reads_compressed_bodies() {
    let (builder, ends) = by_hand();
    let limits = ClientLimits {
        body_bytes: 77 << 10,
        stream_window: 1 << 20,
        // Never less than what a server may take for granted.
        connection_window: 1,
        ..ClientLimits::default()
    };
    let client = builder.limits(limits).lazy().unwrap();
    client.ready().await.unwrap();
    let frame = ends.next().await.frame().await.unwrap();
    let FrameKind::Greeting(greeting) = frame.kind else {
        panic!("{frame:?}");
    };
    assert_eq!(greeting.compressions, [Compression::DEFLATE]);
    let told = greeting.limits.unwrap();
    assert_eq!(told.max_message_bytes, 1 << 20);
    assert_eq!(told.max_body_bytes, 77 << 10);
    assert_eq!(told.stream_window_bytes, 1 << 20);
    assert_eq!(told.connection_window_bytes, 1 << 20);
}
