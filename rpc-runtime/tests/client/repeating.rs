//! What becomes of calls without a connection, and of calls whose connection is lost.

use std::time::Duration;

use rpc_runtime::{CallError, Code, Limits, RefusedKind};
use tokio::time::Instant;

use crate::{
    by_hand::by_hand,
    service::{Note, call, desk, note, serve, until},
};

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_sent_again_and_another_is_not() {
    let (server, traces) = serve();
    let client = server.client();
    let read = tokio::spawn(call(&client, "Read", &note(1)).into_future());
    let write = tokio::spawn(call(&client, "Write", &note(2)).into_future());
    until("both run", || traces.started() == 2).await;
    server.disconnect_all().await;
    match write.await.unwrap() {
        Err(error @ CallError::Closed(_)) => {
            assert!(error.may_have_run());
            assert_eq!(error.code(), Some(Code::Unavailable));
        }
        other => panic!("{other:?}"),
    }
    until("one runs again", || traces.started() == 3).await;
    traces.release.notify_one();
    assert_eq!(read.await.unwrap().unwrap(), note(1));
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_sent_four_times_at_most() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let read = tokio::spawn(call(&client, "Read", &note(1)).into_future());
    for _ in 0..4 {
        let mut end = ends.next().await;
        end.request().await;
        end.close(1012).await;
    }
    match read.await.unwrap() {
        Err(error @ CallError::Closed(_)) => assert!(error.may_have_run()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_not_sent_again_after_a_final_code() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let read = tokio::spawn(call(&client, "Read", &note(1)).into_future());
    let mut end = ends.next().await;
    end.request().await;
    end.close(4500).await;
    assert!(matches!(read.await.unwrap(), Err(CallError::Closed(_))));
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_away_calls_fail_at_once_unless_they_may_wait() {
    let (server, traces) = serve();
    let client = server.client();
    client.ready().await.unwrap();
    server.kill().await;
    let began = Instant::now();
    match call(&client, "Write", &note(1)).await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.kind(), RefusedKind::Disconnected),
        other => panic!("{other:?}"),
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    let bounded = call(&client, "Read", &note(2)).timeout(Duration::from_secs(5));
    assert!(matches!(bounded.await, Err(CallError::TimedOut(_))));
    assert_eq!(began.elapsed().as_secs(), 5);
    let waits = [
        tokio::spawn(call(&client, "Read", &note(3)).into_future()),
        tokio::spawn(call(&client, "Write", &note(4)).wait_for_ready().into_future()),
    ];
    tokio::time::sleep(Duration::from_secs(300)).await;
    let (again, traces_again) = desk(Limits::default());
    server.restart(again);
    // The next attempt may be that far away.
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert_eq!(traces_again.started(), 2);
    traces_again.release.notify_waiters();
    for call in waits {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(traces.started(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_a_failing_attempt_fails_with_it() {
    let (server, _) = serve();
    server.stop().await;
    let client = server.client();
    match call(&client, "Write", &Note::default()).await {
        Err(error @ CallError::Refused(_)) => assert!(!error.may_have_run()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_sent_again_tells_the_server_what_is_left_of_its_time() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let call = call(&client, "Read", &note(1)).timeout(Duration::from_secs(10));
    let read = tokio::spawn(call.into_future());
    let mut end = ends.next().await;
    assert_eq!(end.request().await.1.timeout_us, 10_000_000);
    tokio::time::sleep(Duration::from_secs(4)).await;
    end.close(1012).await;
    let mut end = ends.next().await;
    let (stream_id, request) = end.request().await;
    assert!(
        (5_000_000..=5_900_000).contains(&request.timeout_us),
        "{}",
        request.timeout_us
    );
    end.answer(stream_id, &note(2)).await;
    assert_eq!(read.await.unwrap().unwrap(), note(2));
}
