//! Coming back: after which codes, when, and how often.

use std::{
    collections::HashSet,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use rpc_runtime::{
    CallError, Client, CloseCode, ConnectionState, Connector, Limits, Reconnect, RefusedKind, testing,
};
use tokio::{io::DuplexStream, time::Instant};

use crate::{
    by_hand::by_hand,
    service::{call, desk, note, serve},
};

#[tokio::test(start_paused = true)]
async fn a_client_comes_back_after_the_codes_that_say_so_and_no_others() {
    for (code, comes_back) in [
        (1001, true),
        (1011, true),
        (1012, true),
        (1013, true),
        (4000, true),
        (4401, true),
        (4408, true),
        (4429, true),
        (4499, true),
        (1000, false),
        (1002, false),
        (1003, false),
        (1007, false),
        (1008, false),
        (1009, false),
        (4500, false),
        (4502, false),
        (4505, false),
        (4999, false),
    ] {
        let (builder, ends) = by_hand();
        let client = builder.lazy().unwrap();
        client.ready().await.unwrap();
        ends.next().await.close(code).await;
        if comes_back {
            let _second = ends.next().await;
            client.ready().await.unwrap();
        } else {
            assert_eq!(client.closed().await.close_code().as_u16(), code);
            tokio::time::sleep(Duration::from_secs(600)).await;
            assert!(ends.is_empty().await, "{code} is final");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_just_ends_is_1006_and_made_again() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    drop(ends.next().await);
    let _second = ends.next().await;
    client.ready().await.unwrap();
}

/// Refuses, and notes when it was asked.
#[derive(Clone, Default)]
struct Refusing(Arc<Mutex<Vec<Instant>>>);

impl Connector for Refusing {
    type Io = DuplexStream;

    async fn connect(&self) -> io::Result<DuplexStream> {
        self.0.lock().unwrap().push(Instant::now());
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_lie_ever_further_apart_within_their_bounds_and_end_where_they_are_limited() {
    let refusing = Refusing::default();
    let reconnect = Reconnect {
        attempts: Some(12),
        ..Reconnect::default()
    };
    let client = Client::from_connector(refusing.clone()).reconnect(reconnect);
    let client = client.lazy().unwrap();
    let error = client.ready().await.unwrap_err();
    match &error {
        CallError::Refused(refused) => assert_eq!(refused.kind(), RefusedKind::Unreachable),
        other => panic!("{other:?}"),
    }
    assert!(!error.may_have_run());
    assert_eq!(client.state(), ConnectionState::Closed);
    assert_eq!(client.closed().await.close_code(), CloseCode::Abnormal);
    let attempts = refusing.0.lock().unwrap().clone();
    assert_eq!(attempts.len(), 13, "the first, and twelve after it");
    for (index, pair) in attempts.windows(2).enumerate() {
        let (wait, most) = (pair[1] - pair[0], 200 << (index + 1).min(20));
        // Timers round up to whole milliseconds.
        let bounds = Duration::from_millis(200)..=Duration::from_millis(most.min(20_000) + 2);
        assert!(bounds.contains(&wait), "wait {index}: {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_clients_of_a_server_that_restarts_do_not_all_come_back_at_once() {
    let (server, _) = serve();
    let clients: Vec<_> = (0..300).map(|_| server.client()).collect();
    for client in &clients {
        client.ready().await.unwrap();
    }
    let began = Instant::now();
    server.disconnect_all().await;
    let back = clients.iter().map(|client| async {
        client.ready().await.unwrap();
        (Instant::now() - began).as_millis()
    });
    let back = futures_util::future::join_all(back).await;
    let bounds = 200..=402;
    assert!(back.iter().all(|wait| bounds.contains(wait)), "{back:?}");
    let distinct: HashSet<_> = back.iter().collect();
    // 300 of 200 milliseconds hit 155 of them; less than 100 never.
    assert!(distinct.len() > 100, "{} moments", distinct.len());
    assert_eq!(server.connections(), 600);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_lets_in_and_throws_out_is_not_stormed() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    let began = Instant::now();
    for _ in 0..12 {
        ends.next().await.close(1013).await;
    }
    // Twelve waits that double would be 400 ms at most, had they begun anew each time: on average they take 38 s.
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn waits_begin_anew_after_a_connection_that_lived() {
    let (builder, ends) = by_hand();
    let client = builder.lazy().unwrap();
    client.ready().await.unwrap();
    for _ in 0..20 {
        let end = ends.next().await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        let began = Instant::now();
        end.close(1012).await;
        client.ready().await.unwrap();
        assert!(
            began.elapsed() <= Duration::from_millis(402),
            "{:?}",
            began.elapsed()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_goes_to_the_next_server_when_its_own_was_killed() {
    let (server, _) = serve();
    let client = server.client();
    assert_eq!(call(&client, "Echo", &note(1)).await.unwrap(), note(1));
    server.kill().await;
    assert!(call(&client, "Echo", &note(2)).await.is_err());
    server.restart(desk(Limits::default()).0);
    let waits = call(&client, "Echo", &note(3)).wait_for_ready();
    assert_eq!(waits.await.unwrap(), note(3));
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_never_answers_is_given_up_after_the_connect_timeout() {
    struct Silent;
    impl Connector for Silent {
        type Io = DuplexStream;

        async fn connect(&self) -> io::Result<DuplexStream> {
            std::future::pending().await
        }
    }
    let began = Instant::now();
    let client = Client::from_connector(Silent).connect_timeout(Duration::from_secs(3));
    match client.connect().await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.kind(), RefusedKind::TimedOut),
        other => panic!("{other:?}"),
    }
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_connection_must_succeed_where_it_is_asked_for() {
    let (server, _) = desk(Limits::default());
    let server = testing::serve(server);
    server.stop().await;
    let error = server.builder().connect().await.unwrap_err();
    assert!(matches!(error, CallError::Refused(_)), "{error:?}");
}
