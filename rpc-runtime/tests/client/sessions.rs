//! Session calls.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{CallError, Code, Limits, Outgoing, Status, Streaming};
use tokio::time::Instant;

use crate::service::{Note, desk, method, note, serve, until};

#[tokio::test(start_paused = true)]
async fn a_session_runs_with_both_ends_and_gives_what_its_closure_returns() {
    let (server, traces) = serve();
    let client = server.client();
    // What the closure borrows need not be its own.
    let numbers = [1, 2, 3];
    let doubled = client.session(
        method("Double"),
        async |output: Outgoing<Note>, mut input: Streaming<Note>| {
            let mut doubled = Vec::new();
            for number in numbers {
                output.send(note(number)).await?;
                doubled.extend(input.message().await?.map(|note| note.number));
            }
            drop(output);
            assert_eq!(input.message().await?, None);
            Ok(doubled)
        },
    );
    assert_eq!(doubled.await.unwrap(), [2, 4, 6]);
    assert_eq!(traces.dropped(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_closure_sent_last_arrives_although_it_returns_at_once() {
    let (server, traces) = serve();
    let client = server.client();
    let session = client.session(
        method("Double"),
        async |output: Outgoing<Note>, _input: Streaming<Note>| {
            for number in 1..=100 {
                output.send(note(number)).await?;
            }
            Ok(())
        },
    );
    session.await.unwrap();
    assert_eq!(traces.produced(), 100);
}

#[tokio::test(start_paused = true)]
async fn the_servers_status_is_the_sessions_where_the_closure_has_none() {
    let (server, _) = serve();
    let client = server.client();
    let session = client.session(
        method("Double"),
        async |output: Outgoing<Note>, _input: Streaming<Note>| output.send(note(0)).await,
    );
    assert_eq!(session.await.unwrap_err().code(), Some(Code::OutOfRange));
}

#[tokio::test(start_paused = true)]
async fn a_closure_that_fails_cancels_the_call() {
    let (server, traces) = serve();
    let client = server.client();
    let session = client.session(
        method("Double"),
        async |output: Outgoing<Note>, mut input: Streaming<Note>| {
            output.send(note(1)).await?;
            input.message().await?;
            Err::<(), _>(Status::aborted("changed my mind"))
        },
    );
    assert_eq!(session.await.unwrap_err().code(), Some(Code::Aborted));
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn dropping_a_session_cancels_the_call() {
    let (server, traces) = serve();
    let client = server.client();
    let session = client.session(
        method("Double"),
        async |output: Outgoing<Note>, mut input: Streaming<Note>| {
            output.send(note(1)).await?;
            while input.message().await?.is_some() {}
            Ok(())
        },
    );
    let waited = tokio::time::timeout(Duration::from_secs(1), session).await;
    assert!(waited.is_err());
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_whose_connection_is_lost_says_so() {
    let (server, traces) = serve();
    let client = server.client();
    let session = client.session(
        method("Double"),
        async |_output: Outgoing<Note>, mut input: Streaming<Note>| {
            while input.message().await?.is_some() {}
            Ok(())
        },
    );
    let cut = async {
        until("it runs", || traces.started() == 1).await;
        server.disconnect_all().await;
    };
    let (outcome, ()) = tokio::join!(session, cut);
    assert!(matches!(outcome, Err(CallError::Closed(_))), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn with_reconnect_the_closure_runs_again_on_a_new_call_until_it_has_returned_in_peace() {
    let (server, traces) = serve();
    let client = server.client();
    let runs = Arc::new(AtomicUsize::new(0));
    let session = client.session_with_reconnect(
        method("Double"),
        |output: Outgoing<Note>, mut input: Streaming<Note>| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move {
                output.send(note(5)).await?;
                let doubled = input.message().await?;
                if run < 2 {
                    // Until the connection is cut; that it then returns as if all were well does not count.
                    while let Ok(Some(_)) = input.message().await {}
                }
                Ok((run, doubled))
            }
        },
    );
    let cuts = async {
        for run in 1..=2 {
            until("it was answered", || traces.produced() == run).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            server.disconnect_all().await;
        }
    };
    let (outcome, ()) = tokio::join!(session, cuts);
    assert_eq!(outcome.unwrap(), (2, Some(note(10))));
    assert_eq!((runs.load(Ordering::SeqCst), server.connections()), (3, 3));
}

#[tokio::test(start_paused = true)]
async fn with_reconnect_the_closure_runs_again_on_the_next_server_when_one_has_stopped() {
    let (server, traces) = serve();
    // A timeout for answers does not end a session.
    let client = server.builder().timeout(Duration::from_secs(5)).lazy().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let session = client.session_with_reconnect(
        method("Double"),
        |output: Outgoing<Note>, mut input: Streaming<Note>| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            async move {
                output.send(note(5)).await?;
                let doubled = input.message().await?;
                if run == 0 {
                    while input.message().await?.is_some() {}
                }
                Ok((run, doubled))
            }
        },
    );
    let deployment = async {
        until("it was answered", || traces.produced() == 1).await;
        // For the whole grace, because the session does not end by itself.
        server.stop().await;
        server.restart(desk(Limits::default()).0);
    };
    let (outcome, ()) = tokio::join!(session, deployment);
    assert_eq!(outcome.unwrap(), (1, Some(note(10))));
}

#[tokio::test(start_paused = true)]
async fn a_sessions_timeout_ends_it_whatever_its_closure_does() {
    let (server, traces) = serve();
    let client = server.client();
    let session = client
        .session(
            method("Double"),
            async |_output: Outgoing<Note>, _input: Streaming<Note>| {
                std::future::pending::<()>().await;
                Ok(())
            },
        )
        .timeout(Duration::from_secs(2));
    assert!(matches!(session.await, Err(CallError::TimedOut(_))));
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn the_timeout_of_a_session_that_comes_back_bounds_all_of_its_runs() {
    let (server, traces) = serve();
    let client = server.client();
    let began = Instant::now();
    let session = client
        .session_with_reconnect(
            method("Double"),
            |output: Outgoing<Note>, mut input: Streaming<Note>| async move {
                let _held = output;
                while input.message().await?.is_some() {}
                Ok(())
            },
        )
        .metadata("tenant", "acme")
        .timeout(Duration::from_secs(2));
    let cut = async {
        until("it runs", || traces.started() == 1).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        server.disconnect_all().await;
    };
    let (outcome, ()) = tokio::join!(session, cut);
    assert!(matches!(outcome, Err(CallError::TimedOut(_))), "{outcome:?}");
    assert_eq!((began.elapsed().as_secs(), traces.started()), (2, 2));
}
