//! Calls that go on over a cut: without loss or doubling, and what becomes of them where that cannot be.

use std::{future::IntoFuture, sync::atomic::Ordering, time::Duration};

use futures_util::{StreamExt, stream};
use rpc_runtime::{CallError, Client, Code, Limits, Reconnect, Server, testing::TestServer};

use crate::{
    line::{Item, Keeping, Line, connect, item, method, numbers, replaying, serve},
    peer::settle,
};

/// Cuts every connection, so often, while something goes on.
async fn cut_now_and_then(server: &TestServer, client: &Client, times: usize) {
    for _ in 0..times {
        tokio::time::sleep(Duration::from_millis(30)).await;
        server.disconnect_all().await;
        settle().await;
        client.ready().await.unwrap();
    }
}

fn wait(client: &Client) -> tokio::task::JoinHandle<Result<Item, CallError>> {
    let client = client.clone();
    tokio::spawn(async move { client.unary::<Item>(method("Wait"), &item(0)).await })
}

async fn is_lost(calling: tokio::task::JoinHandle<Result<Item, CallError>>) {
    let error = calling.await.unwrap().expect_err("is lost");
    assert_eq!(
        (error.code(), error.may_have_run()),
        (Some(Code::Unavailable), true),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_responses_goes_on_over_cuts_without_loss_or_doubling() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let id = client.greeted().await.unwrap().client_id().to_owned();
    let call = client.server_streaming::<Item>(method("Count"), &item(5_000));
    let reading = tokio::spawn(numbers(call.await.unwrap()));
    cut_now_and_then(&server, &client, 5).await;
    assert_eq!(reading.await.unwrap(), (0..5_000).collect::<Vec<_>>());
    assert_eq!(line.begun(), 1);
    let greeting = client.greeted().await.unwrap();
    assert!(greeting.resumed() && greeting.streams_resumed());
    assert_eq!((greeting.client_id(), server.connections()), (&*id, 6));
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_requests_goes_on_over_cuts_without_loss_or_doubling() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let items = stream::iter(0..5_000).then(|number| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        item(number)
    });
    let calling = tokio::spawn({
        let client = client.clone();
        async move { client.client_streaming::<_, Item>(method("Take"), items).await }
    });
    cut_now_and_then(&server, &client, 5).await;
    assert_eq!(calling.await.unwrap().expect("goes on").number, 5_000);
    assert_eq!(line.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_each_way_goes_on_over_cuts_without_loss_or_doubling() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let items = stream::iter(0..5_000).then(|number| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        item(number)
    });
    let call = client.bidirectional::<_, Item>(method("Echo"), items);
    let reading = tokio::spawn(numbers(call.await.unwrap()));
    cut_now_and_then(&server, &client, 5).await;
    assert_eq!(reading.await.unwrap(), (0..5_000).collect::<Vec<_>>());
    assert_eq!(line.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_answered_while_its_client_is_away_has_its_answer_and_runs_once() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let calling = wait(&client);
    settle().await;
    server.disconnect_all().await;
    settle().await;
    line.release.notify_waiters();
    assert_eq!(calling.await.unwrap().expect("goes on").number, 0);
    assert_eq!(line.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_come_back_in_time_ends_its_calls_which_may_have_run() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let calling = wait(&client);
    settle().await;
    server.kill().await;
    let began = tokio::time::Instant::now();
    is_lost(calling).await;
    assert_eq!(began.elapsed().as_secs(), 60);
    assert_eq!(line.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_time_is_over_while_its_client_is_away_ends_then() {
    let (_line, server) = serve(replaying());
    let client = connect(&server).await;
    let call = client.server_streaming::<Item>(method("Count"), &item(1_000_000));
    let mut items = call.timeout(Duration::from_secs(10)).await.unwrap();
    server.kill().await;
    let began = tokio::time::Instant::now();
    let last = loop {
        match items.next().await {
            Some(Ok(_)) => {}
            Some(Err(status)) => break status,
            None => panic!("the stream has not failed"),
        }
    };
    assert_eq!(last.code(), Code::DeadlineExceeded);
    assert!(began.elapsed() <= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_know_the_session_ends_its_calls_and_serves_others() {
    let (_line, server) = serve(replaying());
    let client = connect(&server).await;
    let calling = wait(&client);
    settle().await;
    server.kill().await;
    let other = Line::default();
    let built = Server::builder().service(other.clone()).limits(replaying());
    server.restart(built.build().unwrap());
    is_lost(calling).await;
    let answer = client.client_streaming::<_, Item>(method("Take"), stream::iter([item(0)]));
    assert_eq!(answer.await.unwrap().number, 1);
    assert_eq!(other.begun(), 1);
    assert!(!client.greeted().await.unwrap().resumed());
}

#[tokio::test(start_paused = true)]
async fn while_a_client_is_away_its_streams_stop_where_as_much_waits_as_for_one_that_does_not_read() {
    let (line, server) = serve(replaying());
    let client = connect(&server).await;
    let asked = Item {
        number: 100_000,
        padding: vec![0; 10_000].into(),
    };
    let mut items = client
        .server_streaming::<Item>(method("Count"), &asked)
        .await
        .unwrap();
    assert!(items.next().await.is_some());
    server.disconnect_all().await;
    settle().await;
    let before = line.produced.load(Ordering::SeqCst);
    // Not long enough for the client to be back.
    tokio::time::sleep(Duration::from_millis(199)).await;
    let during = line.produced.load(Ordering::SeqCst) - before;
    assert!(during * 10_000 < 300_000, "{during} messages");
    for number in 1..200 {
        let item = items.next().await.expect("goes on").expect("goes on");
        assert_eq!(item.number, number);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_nothing_would_fit_into_is_refused() {
    for (replay_bytes, window) in [(1_000, 60), (1 << 20, 0)] {
        let limits = Limits {
            replay_bytes,
            resume_window: Duration::from_secs(window),
            ..Limits::default()
        };
        assert!(Server::builder().limits(limits).build().is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_handle_of_a_call_that_has_failed_names_no_other_when_it_is_dropped() {
    let (_line, server) = serve(replaying());
    let client = connect(&server).await;
    // Sent, and not looked at any more.
    let asked = item(0);
    let mut failed = client.unary::<Item>(method("Wait"), &asked).into_future();
    tokio::select! {
        biased;
        answer = &mut failed => panic!("answered: {answer:?}"),
        () = settle() => {}
    }
    settle().await;
    server.kill().await;
    let other = Line::default();
    let built = Server::builder().service(other.clone()).limits(replaying());
    server.restart(built.build().unwrap());
    client.ready().await.unwrap();
    let calling = wait(&client);
    settle().await;
    assert_eq!(other.waiting(), 1);
    drop(failed);
    settle().await;
    assert_eq!(other.waiting(), 1);
    other.release.notify_waiters();
    assert!(calling.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_closed_while_it_is_away_ends_its_calls_at_once() {
    let (_line, server) = serve(replaying());
    let client = connect(&server).await;
    let calling = wait(&client);
    settle().await;
    server.kill().await;
    settle().await;
    assert!(!calling.is_finished());
    let began = tokio::time::Instant::now();
    client.close(rpc_runtime::CloseCode::Normal, "enough");
    is_lost(calling).await;
    assert_eq!(began.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_to_come_back_no_more_ends_its_calls_with_its_last_attempt() {
    let (_line, server) = serve(replaying());
    let client = server.builder().keeping().reconnect(Reconnect::never());
    let client = client.lazy().unwrap();
    client.greeted().await.unwrap();
    let calling = wait(&client);
    settle().await;
    server.disconnect_all().await;
    is_lost(calling).await;
}
