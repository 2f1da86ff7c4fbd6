//! What the bodies of calls may be: what decodes, keeps the rules, and takes no more memory than it may.

use bytes::Bytes;
use rpc_protocol::{
    FrameKind,
    frame::{Request, Reset},
};
use rpc_runtime::{Code, Limits, validate::Violations};

use crate::{
    probe::{Line, Order, call, method, order, pair, server, until},
    raw::{Raw, bytes_of, masked, request_of},
};

fn with_body(name: &str, body: impl Into<Bytes>) -> FrameKind {
    FrameKind::Request(Request {
        method: method(name).number,
        body: body.into(),
        ..Request::default()
    })
}

#[tokio::test]
async fn a_body_that_does_not_decode_is_invalid_with_the_fields_path_and_the_connection_lives() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    // lines (3) holds a line whose text (1) is no UTF-8.
    raw.send(1, with_body("Echo", &[0x1a, 0x03, 0x0a, 0x01, 0xff][..]))
        .await;
    let (code, message) = raw.answer().await.1.unwrap_err();
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(message, "the request does not decode, at field lines.text");
    raw.request(2, "Echo", &order("next")).await;
    assert_eq!(raw.answer().await, (2, Ok(order("next"))));
    assert_eq!(traces.started(), 1);
}

#[tokio::test]
async fn more_than_32_faults_in_10_s_close_with_4429_and_other_failures_do_not_count() {
    let (server, _) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    let too_long = order(&"x".repeat(101));
    let mut stream_id = 0;
    for _ in 0..100 {
        stream_id += 1;
        raw.request(stream_id, "Echo", &too_long).await;
        assert_eq!(raw.answer().await.1.unwrap_err().0, Code::InvalidArgument);
    }
    for fault in 0..32 {
        stream_id += 1;
        let body = if fault % 2 == 0 {
            with_body("Echo", &[0xff][..])
        } else {
            FrameKind::Request(Request {
                method: 7,
                ..Request::default()
            })
        };
        raw.send(stream_id, body).await;
        raw.answer().await.1.unwrap_err();
    }
    raw.request(stream_id + 1, "Echo", &order("alive")).await;
    assert_eq!(raw.answer().await.1, Ok(order("alive")));
    raw.send(stream_id + 2, with_body("Echo", &[0xff][..])).await;
    assert_eq!(raw.closed().await.0, 4429);
}

#[tokio::test]
async fn rules_are_checked_before_the_handler_and_violations_are_details() {
    let (_server, client, traces) = pair(Limits::default());
    let error = call(&client, "Echo", &order(&"x".repeat(101))).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    let found: Vec<_> = status
        .details::<Violations>()
        .flat_map(|all| all.violations)
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule_id.as_deref(), Some("string.max_len"));
    let path = &found[0].field.as_ref().unwrap().elements;
    assert_eq!(path[0].field_name.as_deref(), Some("label"));
    assert_eq!(traces.started(), 0);
}

#[tokio::test]
async fn a_body_over_the_memory_bound_is_refused_before_it_is_decoded() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    // Empty lines: two bytes on the wire, a whole struct in memory.
    raw.send(1, with_body("Echo", [0x1a, 0x00].repeat(500_000))).await;
    assert_eq!(raw.answer().await.1.unwrap_err().0, Code::ResourceExhausted);
    assert_eq!(traces.started(), 0);
    raw.request(2, "Echo", &order("next")).await;
    assert_eq!(raw.answer().await, (2, Ok(order("next"))));
}

#[tokio::test]
async fn the_running_calls_of_one_connection_take_at_most_64_mib_of_decoded_requests_together() {
    let (server, traces) = server(Limits::default());
    let mut raw = Raw::connect(&server).await;
    // 400 KB each, which may become 14.4 MB.
    let bomb = Order {
        lines: vec![Line::default(); 200_000],
        ..Order::default()
    };
    for id in 1..=20 {
        raw.request(id, "Wait", &bomb).await;
    }
    for id in 5..=20 {
        let (stream_id, answer) = raw.answer().await;
        let (code, text) = answer.unwrap_err();
        assert_eq!((stream_id, code), (id, Code::ResourceExhausted));
        assert_eq!(text, "the running calls of this connection take too much memory");
    }
    until("four run", || traces.started() == 4).await;
    // One that is given up makes room for another.
    raw.send(1, FrameKind::Reset(Reset { code: 1 })).await;
    until("one has ended", || traces.dropped() == 1).await;
    raw.request(21, "Wait", &bomb).await;
    until("another runs", || traces.started() == 5).await;
}

#[test]
fn more_than_4096_elements_are_decoded_elsewhere_and_what_comes_behind_them_is_not_held_up() {
    // One thread for blocking work, and it is held: what is decoded there cannot come back before it is let go.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (server, _) = server(Limits::default());
        let mut raw = Raw::connect(&server).await;
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        let lines = |count| Order {
            lines: (0..count)
                .map(|number| Line {
                    text: number.to_string(),
                })
                .collect(),
            ..Order::default()
        };
        let call = |id, order: &Order| masked(&bytes_of(id, request_of("Echo", order)));
        // Each line is two elements, itself and its text.
        let (few, many) = (lines(1_000), lines(5_000));
        raw.write(&[call(1, &few), call(2, &many), call(3, &order("behind"))].concat())
            .await;
        assert_eq!(raw.answer().await, (1, Ok(few)), "decoded in place");
        assert_eq!(raw.answer().await, (3, Ok(order("behind"))), "not held up");
        let_go.send(()).unwrap();
        assert_eq!(raw.answer().await, (2, Ok(many)), "decoded elsewhere");
    });
}
