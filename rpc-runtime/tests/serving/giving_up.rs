//! Calls that are over before their answer: by a deadline, by their caller, or because nobody waits any more.

use std::time::Duration;

use rpc_protocol::{
    FrameKind,
    frame::{Request, Reset},
};
use rpc_runtime::{Code, Limits};

use crate::{
    probe::{Order, call, order, pair, server, status, until},
    raw::{Raw, request_of},
};

#[tokio::test]
async fn a_handler_over_its_methods_deadline_answers_deadline_exceeded_and_its_future_is_dropped() {
    let (_server, client, traces) = pair(Limits::default());
    for (count, name) in [(1, "Hang"), (2, "HangApart")] {
        // The client would wait longer.
        let call = call(&client, name, &Order::default()).timeout(Duration::from_secs(20));
        assert_eq!(status(call.await).0, Code::DeadlineExceeded);
        until("the future is dropped", || traces.dropped() == count).await;
    }
}

/// A call that its client gives so many microseconds.
fn within(timeout_us: u64, name: &str, order: &Order) -> FrameKind {
    match request_of(name, order) {
        FrameKind::Request(request) => FrameKind::Request(Request {
            timeout_us,
            ..request
        }),
        _ => unreachable!(),
    }
}

#[tokio::test]
async fn the_clients_deadline_holds_on_the_server_where_it_is_the_smaller() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.send(1, within(30_000, "Wait", &order("late"))).await;
    let (stream_id, answer) = raw.answer().await;
    assert_eq!((stream_id, answer.unwrap_err().0), (1, Code::DeadlineExceeded));
    assert_eq!(traces.dropped(), 1);
    // Exactly one end: what follows is the next call's.
    raw.request(2, "Echo", &order("next")).await;
    assert_eq!(raw.answer().await, (2, Ok(order("next"))));
}

#[tokio::test]
async fn a_call_that_is_ready_before_any_timer_is_looked_at_is_answered_whatever_its_deadline() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.send(1, within(1, "Echo", &order("quick"))).await;
    assert_eq!(raw.answer().await, (1, Ok(order("quick"))));
}

#[tokio::test]
async fn the_callers_timeout_gives_timed_out_and_drops_the_handler() {
    let (_server, client, traces) = pair(Limits::default());
    // The handler waits for ever. Either end may be the first to say that the time is over.
    let outcome = call(&client, "Wait", &order("slow"))
        .timeout(Duration::from_millis(50))
        .await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded), "{error}");
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test]
async fn dropping_a_calls_future_drops_its_handler_and_frees_its_place() {
    let limits = Limits {
        streams: 1,
        ..Limits::default()
    };
    let (_server, client, traces) = pair(limits);
    for round in 1..=3 {
        let call = tokio::spawn(call(&client, "Wait", &order("dropped")).into_future());
        until("it runs", || traces.started() == round).await;
        call.abort();
        until("it is dropped", || traces.dropped() == round).await;
    }
    assert_eq!(
        call(&client, "Echo", &order("next")).await.unwrap(),
        order("next")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_reset_call_on_a_task_of_its_own_keeps_its_place_until_that_task_has_ended() {
    let (server, traces) = server(Limits {
        streams: 1,
        ..Limits::default()
    });
    let mut raw = Raw::connect(&server).await;
    raw.request(1, "HoldApart", &Order::default()).await;
    until("it runs", || traces.started() == 1).await;
    raw.send(1, FrameKind::Reset(Reset { code: 1 })).await;
    raw.request(2, "Echo", &order("too early")).await;
    let (stream_id, answer) = raw.answer().await;
    assert_eq!((stream_id, answer.unwrap_err().0), (2, Code::ResourceExhausted));
    assert_eq!(traces.dropped(), 0, "the task is held");
    traces.open_gate();
    until("it is dropped", || traces.dropped() == 1).await;
    // The connection learns of it a moment later.
    for stream_id in 3.. {
        raw.request(stream_id, "Echo", &order("next")).await;
        match raw.answer().await {
            (_, Err((Code::ResourceExhausted, _))) if stream_id < 500 => tokio::task::yield_now().await,
            (_, answer) => {
                assert_eq!(answer, Ok(order("next")));
                break;
            }
        }
    }
}
