//! Timeouts and deadlines on this side, and how they are handed on.

use std::time::Duration;

use rpc_runtime::{CallError, Code, Limits, Server, testing};
use tokio::time::Instant;

use crate::service::{DeskGateway, Note, call, desk, method, note, serve, until};

#[tokio::test(start_paused = true)]
async fn the_clients_default_timeout_holds_for_calls_that_set_none() {
    let (server, traces) = serve();
    let client = server.builder().timeout(Duration::from_secs(3)).lazy().unwrap();
    let began = Instant::now();
    match call(&client, "Write", &note(1)).await {
        Err(error @ CallError::TimedOut(_)) => {
            assert_eq!(error.code(), Some(Code::DeadlineExceeded));
            assert!(error.may_have_run());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(began.elapsed().as_secs(), 3);
    until("the handler is dropped", || traces.dropped() == 1).await;
    let longer = call(&client, "Left", &note(1)).timeout(Duration::from_secs(60));
    assert_eq!(longer.await.unwrap(), note(60_000));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_a_stream_that_was_opened_and_drops_its_handler() {
    let (server, traces) = serve();
    let client = server.client();
    let request = Note {
        text: "hang".to_owned(),
        ..note(2)
    };
    let began = Instant::now();
    let mut notes = client
        .server_streaming::<Note>(method("Count"), &request)
        .timeout(Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(notes.message().await.unwrap(), Some(note(0)));
    assert_eq!(notes.message().await.unwrap(), Some(note(1)));
    let status = notes.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(began.elapsed().as_secs(), 5);
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_the_deadline_does_not_keep_a_stream_open() {
    let (builder, ends) = crate::by_hand::by_hand();
    let client = builder.lazy().unwrap();
    let call = client
        .server_streaming::<Note>(method("Count"), &note(1))
        .timeout(Duration::from_secs(5));
    let opening = tokio::spawn(call.into_future());
    let mut end = ends.next().await;
    let (stream_id, _) = end.request().await;
    let open = rpc_protocol::frame::Response {
        open: true,
        ..Default::default()
    };
    end.send(stream_id, rpc_protocol::FrameKind::Response(open)).await;
    let mut notes = opening.await.unwrap().unwrap();
    let status = notes.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    let frame = end.frame().await.unwrap();
    assert!(
        matches!(frame.kind, rpc_protocol::FrameKind::Reset(_)),
        "{frame:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_handlers_deadline_is_handed_on_to_the_calls_that_it_makes() {
    let (next, _) = desk(Limits::default());
    let gateway = DeskGateway {
        next: Some(testing::serve(next).client()),
        ..DeskGateway::default()
    };
    let server = testing::serve(Server::builder().service(gateway).build().unwrap());
    let client = server.client();
    let left = async |how: &str| {
        let request = Note {
            text: how.to_owned(),
            ..Note::default()
        };
        let call = call(&client, "AskNext", &request).timeout(Duration::from_secs(9));
        call.await.unwrap().number
    };
    for how in ["inline", "explicit"] {
        let left = left(how).await;
        assert!((8_900..=9_000).contains(&left), "{how}: {left}");
    }
    assert_eq!(left("spawned").await, 0, "a task of its own has no deadline");
}
