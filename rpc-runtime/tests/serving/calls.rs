//! What comes of calls.

use std::time::Duration;

use futures_util::future::join_all;
use rpc_protocol::{
    FrameKind,
    frame::{Metadata, Request},
};
use rpc_runtime::{Code, Limits, prost::Message};

use crate::{
    probe::{Order, call, connect, method, order, pair, server, status, until},
    raw::{Log, Raw, request_of},
};

#[tokio::test]
async fn a_call_is_answered() {
    let (_server, client, _) = pair(Limits::default());
    let answer = call(&client, "Echo", &order("milk")).await.unwrap();
    assert_eq!(answer, order("milk"));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_calls_at_a_time_on_one_connection_are_matched_by_id() {
    let (_server, client, _) = pair(Limits::default());
    let calls = (0..2_000_u64).map(|number| {
        let (client, name) = (client.clone(), ["Echo", "Yield", "Large"][number as usize % 3]);
        tokio::spawn(async move {
            let request = Order {
                amount: number,
                ..order("many")
            };
            let answer = call(&client, name, &request).await.unwrap();
            match name {
                "Large" => assert_eq!(answer.blob.len() as u64, number),
                _ => assert_eq!(answer, request),
            }
        })
    });
    for outcome in join_all(calls).await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_response_is_mapped_by_the_generated_clients_function() {
    let (_server, client, _) = pair(Limits::default());
    let length = call(&client, "Echo", &order("milk"))
        .map(|order| order.label)
        .map(|label| label.len());
    assert_eq!(length.await.unwrap(), 4);
    let refused = call(&client, "Echo", &order("milk"))
        .try_map(|_| Err::<(), _>(rpc_runtime::Status::data_loss("no item")));
    assert_eq!(refused.await.unwrap_err().code(), Some(Code::DataLoss));
}

#[tokio::test]
async fn handlers_are_polled_inline_on_the_connections_task_and_on_one_of_their_own_where_they_ask_for_it() {
    let (_server, client, _) = pair(Limits::default());
    let ask = async |name| call(&client, name, &Order::default()).await.unwrap().label;
    let inline = ask("Task").await;
    assert_eq!(ask("Task").await, inline);
    let apart = ask("TaskApart").await;
    assert_ne!(apart, inline);
    assert_ne!(ask("TaskApart").await, apart);
}

#[tokio::test]
async fn a_parked_call_that_is_woken_is_polled_and_its_siblings_are_not() {
    let (_server, client, traces) = pair(Limits::default());
    let calls: Vec<_> = (0..10)
        .map(|_| tokio::spawn(call(&client, "Wait", &order("wait")).into_future()))
        .collect();
    until("all wait", || traces.polled() == 10).await;
    traces.release.notify_one();
    until("one is done", || traces.dropped() == 1).await;
    call(&client, "Echo", &order("in between")).await.unwrap();
    assert_eq!(
        traces.polled(),
        11,
        "ten first polls, and one for the one that was woken"
    );
    traces.release.notify_waiters();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), order("wait"));
    }
    assert_eq!(traces.polled(), 20);
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_and_neither_siblings_nor_connection_suffer() {
    let (log, _guard) = Log::capture();
    let (_server, client, traces) = pair(Limits::default());
    let waiting = tokio::spawn(call(&client, "Wait", &order("sibling")).into_future());
    until("the sibling runs", || traces.started() == 1).await;
    for (name, amount) in [("Panic", 0), ("Panic", 5), ("PanicApart", 0), ("PanicApart", 5)] {
        let request = Order {
            amount,
            ..order(name)
        };
        let (code, message) = status(call(&client, name, &request).await);
        assert_eq!(code, Code::Internal);
        let id = message
            .strip_prefix("internal error, logged under call ")
            .expect(&message)
            .to_owned();
        let logged = |line: &String| line.contains(&id) && line.contains(&format!("the secret of {name}"));
        assert!(log.lines().iter().any(logged), "{:?}", log.lines());
    }
    traces.release.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap(), order("sibling"));
}

#[tokio::test]
async fn a_handler_that_panics_while_it_is_dropped_harms_nothing() {
    let (_server, client, traces) = pair(Limits::default());
    let doomed = tokio::spawn(call(&client, "PanicInDrop", &order("doomed")).into_future());
    until("it runs", || traces.started() == 1).await;
    doomed.abort();
    until("it is dropped", || traces.dropped() == 1).await;
    assert_eq!(
        call(&client, "Echo", &order("alive")).await.unwrap(),
        order("alive")
    );
}

#[tokio::test]
async fn an_error_that_is_no_status_answers_internal_with_fixed_text_and_its_cause_is_logged_under_the_calls_id()
 {
    let (log, _guard) = Log::capture();
    let (_server, client, _) = pair(Limits::default());
    let (code, message) = status(call(&client, "Fail", &Order::default()).await);
    assert_eq!(code, Code::Internal);
    let id = message
        .strip_prefix("internal error, logged under call ")
        .expect(&message)
        .to_owned();
    assert!(!message.contains("hunter2"), "{message}");
    let line = log
        .lines()
        .into_iter()
        .find(|line| line.contains(&id))
        .expect("a line with the id");
    assert!(
        line.contains("password hunter2 was refused") && line.contains("probe.ProbeService/Fail"),
        "{line}"
    );
}

#[tokio::test]
async fn a_status_reaches_the_caller_with_its_details() {
    let (_server, client, _) = pair(Limits::default());
    let error = call(&client, "Missing", &Order::default()).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no such order")
    );
    assert_eq!(status.retry_delay(), Some(Duration::from_secs(3)));
    assert!(status.recoverable());
}

#[tokio::test]
async fn a_status_with_a_cause_reaches_the_caller_as_it_is_and_the_cause_is_logged_under_the_calls_id() {
    let (log, _guard) = Log::capture();
    let (_server, client, _) = pair(Limits::default());
    let error = call(&client, "MissingBecause", &Order::default())
        .await
        .unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "no such order")
    );
    assert_eq!(status.retry_delay(), Some(Duration::from_secs(3)));
    let line = log
        .lines()
        .into_iter()
        .find(|line| line.contains("no row in table hunter2"))
        .expect("a line with the cause");
    assert!(
        line.contains("probe.ProbeService/MissingBecause") && line.contains("-1 "),
        "{line}"
    );
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented_by_number_and_by_name_and_a_known_one_may_be_called_by_name() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let named = |name: &str| {
        FrameKind::Request(Request {
            method_name: name.into(),
            body: order("named").encode_to_vec().into(),
            ..Request::default()
        })
    };
    raw.send(
        1,
        FrameKind::Request(Request {
            method: 7,
            ..Request::default()
        }),
    )
    .await;
    assert_eq!(raw.answer().await.1.unwrap_err().0, Code::Unimplemented);
    raw.send(2, named("probe.ProbeService/Nothing")).await;
    let (code, message) = raw.answer().await.1.unwrap_err();
    assert_eq!(code, Code::Unimplemented);
    assert!(message.contains("probe.ProbeService/Nothing"), "{message}");
    raw.send(3, named("probe.ProbeService/Echo")).await;
    assert_eq!(raw.answer().await, (3, Ok(order("named"))));
}

#[tokio::test]
async fn of_an_unknown_methods_name_only_the_beginning_is_said_back() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.send(
        1,
        FrameKind::Request(Request {
            method_name: "a\n\u{1b}".repeat(100_000),
            ..Request::default()
        }),
    )
    .await;
    let (_, answer) = raw.answer().await;
    let (code, text) = answer.unwrap_err();
    assert_eq!(code, Code::Unimplemented);
    assert!(
        text.starts_with(r#"this endpoint has no method "a\n\u{1b}a"#)
            && text.ends_with("…\"")
            && text.len() < 1_000,
        "{text}"
    );
}

#[tokio::test]
async fn what_a_peer_sent_cannot_begin_a_line_of_the_log() {
    let (_server, client, _) = pair(Limits::default());
    let (log, _guard) = Log::capture();
    let request = Order {
        amount: 1,
        ..order("x\n2026-01-01 WARN forged \u{1b}[31m\u{2028}")
    };
    status(call(&client, "Fail", &request).await);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains(r"x\n2026-01-01 WARN forged \u{1b}[31m\u{2028}"),
        "{lines:?}"
    );
    assert!(!log.text().contains('\u{1b}'));
}

#[tokio::test]
async fn a_one_way_call_runs_and_nothing_is_sent_back() {
    let (server, traces) = server(Limits::default());
    let client = connect(&server);
    client
        .unary::<()>(method("Tell"), &Order::default())
        .await
        .unwrap();
    until("it ran", || traces.started() == 1).await;
    let mut raw = Raw::connect(&server).await;
    let FrameKind::Request(request) = request_of("Tell", &Order::default()) else {
        unreachable!()
    };
    raw.send(
        1,
        FrameKind::Request(Request {
            one_way: true,
            ..request
        }),
    )
    .await;
    raw.request(2, "Echo", &order("next")).await;
    assert_eq!(raw.answer().await, (2, Ok(order("next"))));
    assert_eq!(traces.started(), 3);
}

#[tokio::test]
async fn a_response_over_the_peers_limit_fails_its_call_only() {
    let (_server, client, _) = pair(Limits::default());
    let request = Order {
        amount: 5 << 20,
        ..Order::default()
    };
    assert_eq!(
        status(call(&client, "Large", &request).await).0,
        Code::ResourceExhausted
    );
    assert_eq!(
        call(&client, "Echo", &order("next")).await.unwrap(),
        order("next")
    );
}

#[tokio::test]
async fn one_call_too_many_is_refused_without_being_run_and_our_client_waits_instead() {
    let limits = Limits {
        streams: 3,
        ..Limits::default()
    };
    let (server, traces) = server(limits);
    let mut raw = Raw::connect(&server).await;
    for stream_id in 1..=4 {
        raw.request(stream_id, "Wait", &order("wait")).await;
    }
    let (stream_id, answer) = raw.answer().await;
    assert_eq!((stream_id, answer.unwrap_err().0), (4, Code::ResourceExhausted));
    assert_eq!(traces.started(), 3);
    traces.release.notify_waiters();

    let client = connect(&server);
    call(&client, "Echo", &order("the greeting is here"))
        .await
        .unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| tokio::spawn(call(&client, "Wait", &order("queued")).into_future()))
        .collect();
    for done in 0..50 {
        until("one more runs", || traces.started() > 4 + done).await;
        assert!(traces.started() <= 4 + done + 3);
        traces.release.notify_one();
        until("one more is done", || traces.dropped() > 3 + done).await;
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), order("queued"));
    }
}

#[tokio::test]
async fn a_handler_sees_id_method_metadata_and_the_time_that_is_left() {
    let (server, _) = server(Limits::default());
    let client = connect(&server);
    let answer = call(&client, "Describe", &Order::default())
        .metadata("key", "value")
        .metadata_bin("key-bin", vec![1, 2])
        .timeout(Duration::from_secs(100))
        .await
        .unwrap();
    let text = &answer.lines[0].text;
    let (id, rest) = text.split_once(' ').unwrap();
    let (client_id, stream_id) = id.split_once('-').unwrap();
    assert!(
        client_id.len() == 32 && client_id.chars().all(|c| c.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(stream_id, "1");
    assert!(
        rest.starts_with("probe.ProbeService/Describe Some(\"value\") Some([1, 2]) Some(9999")
            || rest.starts_with("probe.ProbeService/Describe Some(\"value\") Some([1, 2]) Some(99"),
        "{rest}"
    );
    let mut raw = Raw::connect(&server).await;
    let too_much = Request {
        method: method("Describe").number,
        metadata: vec![Metadata::text("key", "x".repeat(20_000))],
        ..Request::default()
    };
    raw.send(1, FrameKind::Request(too_much)).await;
    assert_eq!(raw.answer().await.1.unwrap_err().0, Code::ResourceExhausted);
}

#[tokio::test]
async fn a_handler_closes_its_connection_with_code_and_reason_behind_its_reply() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    raw.request(1, "Leave", &Order::default()).await;
    assert_eq!(raw.answer().await, (1, Ok(order("bye"))));
    assert_eq!(raw.closed().await, (4900, "you asked for it".to_owned()));
    until("it is off the list", || server.connections() == 0).await;
}
