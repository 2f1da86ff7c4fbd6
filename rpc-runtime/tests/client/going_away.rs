//! A server that announces that it goes away.

use std::time::Duration;

use rpc_protocol::{FrameKind, frame::GoAway};
use rpc_runtime::{CallError, Client, Code, Limits};
use tokio::time::Instant;

use crate::{
    by_hand::by_hand,
    service::{call, desk, note, serve, until},
};

fn go_away(last_stream_id: u64, return_after: Duration) -> FrameKind {
    FrameKind::GoAway(GoAway {
        last_stream_id,
        return_after_us: return_after.as_micros() as u64,
        ..GoAway::default()
    })
}

#[tokio::test(start_paused = true)]
async fn running_calls_finish_on_the_old_connection_while_new_ones_go_to_the_next_server() {
    let (server, old) = serve();
    let client = server.client();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    until("it runs", || old.started() == 1).await;
    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.stop().await }
    });
    tokio::task::yield_now().await;
    let (next, new) = desk(Limits::default());
    server.restart(next);
    let other = tokio::spawn(call(&client, "Write", &note(2)).into_future());
    until("it runs at the next server", || new.started() == 1).await;
    assert_eq!(old.dropped(), 0);
    new.release.notify_one();
    assert_eq!(other.await.unwrap().unwrap(), note(2));
    old.release.notify_one();
    assert_eq!(running.await.unwrap().unwrap(), note(1));
    stopping.await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_that_the_server_has_not_begun_are_sent_to_the_next_one_whatever_they_do() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    let first = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let mut old = ends.next().await;
    assert_eq!(old.request().await.0, 1);
    let second = tokio::spawn(call(&client, "Write", &note(2)).into_future());
    assert_eq!(old.request().await.0, 2);
    old.send(0, go_away(1, Duration::from_secs(2))).await;
    let began = Instant::now();
    let mut new = ends.next().await;
    let waited = began.elapsed();
    assert!(
        (Duration::from_secs(2)..=Duration::from_millis(4_002)).contains(&waited),
        "{waited:?}"
    );
    let (stream_id, _) = new.request().await;
    new.answer(stream_id, &note(20)).await;
    assert_eq!(second.await.unwrap().unwrap(), note(20));
    old.answer(1, &note(10)).await;
    assert_eq!(first.await.unwrap().unwrap(), note(10));
    // Nothing is left to do there.
    assert_eq!(old.closed().await, 1000);
}

#[tokio::test(start_paused = true)]
async fn without_another_connection_what_was_not_run_is_refused() {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let client = Client::from_io(near);
    let mut end = crate::by_hand::End(
        tokio_tungstenite::WebSocketStream::from_raw_socket(
            far,
            tokio_tungstenite::tungstenite::protocol::Role::Server,
            None,
        )
        .await,
    );
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    end.request().await;
    end.send(0, go_away(0, Duration::ZERO)).await;
    let error = running.await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error:?}");
    assert!(!error.may_have_run());
    let error = call(&client, "Echo", &note(2)).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unavailable));
    assert!(!error.may_have_run());
}
