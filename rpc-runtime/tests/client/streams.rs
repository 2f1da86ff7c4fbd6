//! Calls that stream: all kinds, how they end, and what holds them back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, TryStreamExt, stream};
use rpc_runtime::{CallError, ClientLimits, Code, Limits, testing};
use tokio::sync::mpsc;

use crate::service::{Note, call, desk, method, note, serve, until};

fn blob(number: u64, bytes: usize) -> Note {
    Note {
        blob: vec![number as u8; bytes].into(),
        ..note(number)
    }
}

#[tokio::test(start_paused = true)]
async fn a_unary_call_gives_metadata_and_trailers_where_they_are_asked_for() {
    let (server, _) = serve();
    let request = Note {
        text: "said".to_owned(),
        ..Note::default()
    };
    let reply = call(&server.client(), "Echo", &request).map(|note| note.text);
    let reply = reply.with_metadata().await.unwrap();
    assert_eq!(reply.value, "said");
    assert_eq!(reply.metadata.get("before"), Some("said"));
    assert_eq!(reply.trailers.get_bin("after-bin"), Some(&[1, 2][..]));
}

#[tokio::test(start_paused = true)]
async fn a_server_stream_gives_its_messages_in_order_with_metadata_and_trailers() {
    let (server, _) = serve();
    let client = server.client();
    let mut notes = client
        .server_streaming::<Note>(method("Count"), &note(1_000))
        .await
        .unwrap();
    assert_eq!(notes.metadata().get("before"), Some("count"));
    for number in 0..1_000 {
        assert_eq!(notes.message().await.unwrap(), Some(note(number)));
    }
    assert!(notes.trailers().is_empty());
    assert_eq!(notes.message().await.unwrap(), None);
    assert_eq!(notes.trailers().get("after"), Some("counted"));
    assert_eq!(notes.message().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_gives_its_messages_and_then_the_status() {
    let (server, _) = serve();
    let client = server.client();
    let request = Note {
        text: "fail".to_owned(),
        ..note(2)
    };
    let notes = client.server_streaming::<Note>(method("Count"), &request);
    let notes: Vec<_> = notes.await.unwrap().collect().await;
    assert_eq!(notes.len(), 3);
    assert_eq!(notes[2].as_ref().unwrap_err().code(), Code::DataLoss);
    let refused = client.server_streaming::<Note>(method("Refuse"), &request);
    match refused.await {
        Err(CallError::Status(status)) => assert_eq!(status.code(), Code::NotFound),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_stream_is_read_to_its_end_and_answered_once() {
    let (server, _) = serve();
    let client = server.client();
    let reply = client
        .client_streaming::<Note, Note>(method("Sum"), stream::iter((1..=1_000).map(note)))
        .with_metadata()
        .await
        .unwrap();
    assert_eq!(reply.value.number, 500_500);
    assert_eq!(reply.trailers.get("after"), Some("summed"));
    let empty = client.client_streaming::<Note, Note>(method("Sum"), stream::empty());
    assert_eq!(empty.await.unwrap().number, 0);
}

#[tokio::test(start_paused = true)]
async fn a_bidirectional_call_goes_to_and_fro() {
    let (server, _) = serve();
    let client = server.client();
    let (sender, receiver) = mpsc::unbounded_channel();
    let requests = tokio_stream(receiver);
    let mut notes = client
        .bidirectional::<Note, Note>(method("Mirror"), requests)
        .await
        .unwrap();
    for number in 0..50 {
        sender.send(note(number)).unwrap();
        assert_eq!(notes.message().await.unwrap(), Some(note(number)));
    }
    drop(sender);
    assert_eq!(notes.message().await.unwrap(), None);
}

fn tokio_stream(
    mut receiver: mpsc::UnboundedReceiver<Note>,
) -> impl futures_util::Stream<Item = Note> + Send {
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

#[tokio::test(start_paused = true)]
async fn large_messages_pass_in_both_directions() {
    let (server, _) = serve();
    let client = server.client();
    let large: Vec<_> = (1..=6).map(|number| blob(number, 600_000)).collect();
    let requests = stream::iter(large.clone());
    let notes = client.bidirectional::<Note, Note>(method("Mirror"), requests);
    let notes: Vec<_> = notes.await.unwrap().try_collect().await.unwrap();
    assert!(notes == large);
    let answer = call(&client, "Echo", &blob(1, 3_000_000)).await.unwrap();
    assert!(answer == blob(1, 3_000_000));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_stream_drops_its_handler_and_frees_its_place() {
    let (server, traces) = desk(Limits {
        streams: 1,
        ..Limits::default()
    });
    let server = testing::serve(server);
    let client = server.client();
    for round in 1..=3 {
        let request = Note {
            text: "hang".to_owned(),
            ..note(1)
        };
        let mut notes = client
            .server_streaming::<Note>(method("Count"), &request)
            .await
            .unwrap();
        assert_eq!(notes.message().await.unwrap(), Some(note(0)));
        drop(notes);
        until("the handler is dropped", || traces.dropped() == round).await;
    }
    assert_eq!(call(&client, "Echo", &note(1)).await.unwrap(), note(1));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_of_a_call_drops_its_requests_and_its_handler() {
    let (server, traces) = serve();
    let client = server.client();
    let alive = Arc::new(());
    let held = alive.clone();
    let requests = stream::once(async { note(1) }).chain(stream::poll_fn(move |_| {
        let _ = &held;
        std::task::Poll::Pending
    }));
    let call = client.client_streaming::<Note, Note>(method("Sum"), requests);
    let running = tokio::spawn(call.into_future());
    until("it runs", || traces.started() == 1).await;
    running.abort();
    until("the handler is dropped", || traces.dropped() == 1).await;
    until("the requests are dropped", || Arc::strong_count(&alive) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_back_its_own_server_stream_and_nothing_else() {
    let (server, traces) = serve();
    let client = server.client();
    let endless = Note {
        blob: vec![1; 10_000].into(),
        ..note(u64::MAX)
    };
    let mut slow = client
        .server_streaming::<Note>(method("Count"), &endless)
        .await
        .unwrap();
    let produced = {
        let mut before = usize::MAX;
        while before != traces.produced() {
            before = traces.produced();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        before
    };
    // 256 KiB of window, and what lies between.
    assert!((20..120).contains(&produced), "{produced}");
    for number in 0..200 {
        assert_eq!(call(&client, "Echo", &note(number)).await.unwrap(), note(number));
    }
    let fast = client.server_streaming::<Note>(method("Count"), &note(5_000));
    assert_eq!(fast.await.unwrap().count().await, 5_000);
    // It goes on where it stopped.
    for number in 0..500 {
        assert_eq!(slow.message().await.unwrap().unwrap().number, number);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_reads_nothing_holds_back_the_requests() {
    let (server, traces) = serve();
    let client = server.client();
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = taken.clone();
    let requests = stream::iter(0..100_000).map(move |number| {
        counter.fetch_add(1, Ordering::SeqCst);
        blob(number, 10_000)
    });
    // The mirror reads only as its answers are read.
    let mut notes = client
        .bidirectional::<Note, Note>(method("Mirror"), requests)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let stopped_at = taken.load(Ordering::SeqCst);
    assert!(stopped_at < 200, "{stopped_at}");
    for number in 0..1_000 {
        assert_eq!(notes.message().await.unwrap().unwrap().number, number);
    }
    drop(notes);
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drops_its_input_stops_the_requests_and_the_call_goes_on() {
    let (server, traces) = serve();
    let client = server.client();
    let alive = Arc::new(());
    let held = alive.clone();
    let enough = Note {
        text: "enough".to_owned(),
        ..note(7)
    };
    let requests = stream::once(async { enough }).chain(stream::poll_fn(move |_| {
        let _ = &held;
        std::task::Poll::Pending
    }));
    let call = client.client_streaming::<Note, Note>(method("Sum"), requests);
    let running = tokio::spawn(call.into_future());
    until("the requests are dropped", || Arc::strong_count(&alive) == 1).await;
    traces.release.notify_one();
    assert_eq!(running.await.unwrap().unwrap().number, 7);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_streams_with_unavailable_behind_what_had_come() {
    let (server, _) = serve();
    let client = server.client();
    let request = Note {
        text: "hang".to_owned(),
        ..note(3)
    };
    let mut notes = client
        .server_streaming::<Note>(method("Count"), &request)
        .await
        .unwrap();
    until("all have come", || true).await;
    assert_eq!(notes.message().await.unwrap(), Some(note(0)));
    server.disconnect_all().await;
    let rest: Vec<_> = notes.collect().await;
    assert_eq!(
        rest.last().unwrap().as_ref().unwrap_err().code(),
        Code::Unavailable
    );
}

#[tokio::test(start_paused = true)]
async fn a_response_over_the_limit_fails_its_own_call_only() {
    let (server, _) = serve();
    let limits = ClientLimits {
        body_bytes: 100_000,
        ..ClientLimits::default()
    };
    let client = server.builder().limits(limits).lazy().unwrap();
    client.ready().await.unwrap();
    for (bytes, fits) in [(99_000, true), (101_000, false), (2_000_000, false)] {
        let outcome = call(&client, "Large", &note(bytes)).await;
        match outcome {
            Ok(answer) => assert!(fits && answer.blob.len() as u64 == bytes),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(error.code(), Some(Code::ResourceExhausted));
            }
        }
        assert_eq!(call(&client, "Echo", &note(1)).await.unwrap(), note(1));
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_large_fails_the_call_and_is_not_left_out() {
    let (server, _) = serve();
    let client = server.client();
    client.ready().await.unwrap();
    let requests = stream::iter([note(1), blob(2, 20_000_000), note(3)]);
    let call = client.client_streaming::<Note, Note>(method("Sum"), requests);
    assert_eq!(call.await.unwrap_err().code(), Some(Code::ResourceExhausted));
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_a_free_stream_as_the_greeting_tells_and_in_the_windows_of_the_connection() {
    let (server, traces) = desk(Limits {
        streams: 3,
        ..Limits::default()
    });
    let client = testing::serve(server).client();
    client.ready().await.unwrap();
    assert_eq!(call(&client, "Echo", &note(1)).await.unwrap(), note(1));
    let calls: Vec<_> = (0..20)
        .map(|number| tokio::spawn(call(&client, "Write", &note(number)).into_future()))
        .collect();
    for round in 1..=20 {
        until("three run", || traces.started() == (round + 2).min(20)).await;
        traces.release.notify_one();
        until("one is done", || traces.dropped() == round).await;
    }
    for (number, call) in calls.into_iter().enumerate() {
        assert_eq!(call.await.unwrap().unwrap(), note(number as u64));
    }
    // Ten times a connection's window, at once.
    let large = (0..40).map(|number| call(&client, "Echo", &blob(number, 250_000)).into_future());
    for answer in futures_util::future::join_all(large).await {
        assert_eq!(answer.unwrap().blob.len(), 250_000);
    }
}

#[tokio::test(start_paused = true)]
async fn compressed_requests_and_messages_arrive_as_they_were() {
    let (server, _) = serve();
    let client = server.builder().compress_above(1_000).lazy().unwrap();
    client.ready().await.unwrap();
    assert_eq!(call(&client, "Echo", &note(1)).await.unwrap(), note(1));
    let large = blob(3, 500_000);
    assert!(call(&client, "Echo", &large).await.unwrap() == large);
    let requests = stream::iter(vec![large.clone(); 20]);
    let sum = client.client_streaming::<Note, Note>(method("Sum"), requests);
    assert_eq!(sum.await.unwrap().text, (20 * 500_000).to_string());
}
