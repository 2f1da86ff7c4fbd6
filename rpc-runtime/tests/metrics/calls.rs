//! Calls by method and code, how long they took, and what is refused.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use rpc_runtime::{
    Client, ClientLimits, Code,
    hub::{Hub, Namespace},
    testing,
};

use crate::{
    recorder::Recorded,
    service::{Amount, AmountChanged, Blob, amount, method, server},
};

fn client() -> Client {
    testing::serve(server().build().unwrap()).client()
}

/// What the calls of a method have ended with, and how often.
fn codes(recorded: &Recorded, name: &str) -> Vec<(String, u64)> {
    let method = format!("method={name} code=");
    recorded
        .all("rpc_server_calls_total")
        .into_iter()
        .filter_map(|(labels, count)| Some((labels.strip_prefix(&method)?.to_owned(), count as u64)))
        .collect()
}

fn once(code: Code) -> Vec<(String, u64)> {
    vec![(code.to_string(), 1)]
}

async fn call(client: &Client, name: &str, data: u64) -> Result<Amount, Code> {
    let outcome = client.unary(method(name), &amount(data)).await;
    outcome.map_err(|error| error.code().unwrap())
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_method_and_code() {
    let recorded = Recorded::new();
    let client = client();
    for _ in 0..10 {
        call(&client, "Echo", 1).await.unwrap();
    }
    assert_eq!(
        codes(&recorded, "metered.MeteredService/Echo"),
        [("OK".to_owned(), 10)]
    );
    for code in Code::ALL.into_iter().skip(1) {
        assert_eq!(call(&client, "Fail", code as u64).await.unwrap_err(), code);
    }
    assert_eq!(call(&client, "Fail", 0).await.unwrap_err(), Code::Internal);
    let failed = codes(&recorded, "metered.MeteredService/Fail");
    for code in Code::ALL.into_iter().skip(1) {
        // The panic is one as well.
        let count = if code == Code::Internal { 2 } else { 1 };
        assert!(failed.contains(&(code.to_string(), count)), "{code}: {failed:?}");
    }
    assert_eq!(failed.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_an_unknown_method_is_counted_under_one_name_whatever_was_called() {
    let recorded = Recorded::new();
    // The same methods, and the server knows none of them.
    let empty = rpc_runtime::Server::builder().metrics().build().unwrap();
    let client = testing::serve(empty).client();
    for name in ["Echo", "Delay"] {
        assert_eq!(call(&client, name, 1).await.unwrap_err(), Code::Unimplemented);
    }
    assert_eq!(
        recorded.all("rpc_server_calls_total"),
        [("method=unknown code=UNIMPLEMENTED".to_owned(), 2.0)]
    );
}

#[tokio::test(start_paused = true)]
async fn latencies_are_recorded_in_seconds_for_each_method() {
    let recorded = Recorded::new();
    let client = client();
    for millis in [250, 1_500] {
        call(&client, "Delay", millis).await.unwrap();
    }
    call(&client, "Echo", 1).await.unwrap();
    let delays = recorded.samples("rpc_server_call_duration_seconds method=metered.MeteredService/Delay");
    assert_eq!(delays, [0.25, 1.5]);
    let echoes = recorded.samples("rpc_server_call_duration_seconds method=metered.MeteredService/Echo");
    assert_eq!(echoes, [0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_in_an_idle_connection_does_not_count_the_time_before_it() {
    let recorded = Recorded::new();
    let client = client();
    for _ in 0..3 {
        call(&client, "Echo", 1).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let echoes = recorded.samples("rpc_server_call_duration_seconds method=metered.MeteredService/Echo");
    assert_eq!(echoes, [0.0; 3]);
}

#[tokio::test(start_paused = true)]
async fn streams_are_counted_once_when_they_end() {
    let recorded = Recorded::new();
    let client = client();
    let amounts: Vec<_> = client
        .server_streaming::<Amount>(method("Count"), &amount(4))
        .await
        .unwrap()
        .collect()
        .await;
    assert_eq!(amounts.len(), 4);
    let requests = stream::iter((0..10).map(amount));
    let sum: Amount = client.client_streaming(method("Sum"), requests).await.unwrap();
    assert_eq!(sum.amount, 45);
    tokio::task::yield_now().await;
    assert_eq!(codes(&recorded, "metered.MeteredService/Count"), once(Code::Ok));
    assert_eq!(codes(&recorded, "metered.MeteredService/Sum"), once(Code::Ok));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_late_given_up_or_left_behind_is_counted_once() {
    let recorded = Recorded::new();
    let server = testing::serve(server().build().unwrap());
    let client = server.client();
    let late = client.unary::<Amount>(method("Delay"), &amount(60_000));
    late.timeout(Duration::from_secs(1)).await.unwrap_err();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(
        codes(&recorded, "metered.MeteredService/Delay"),
        once(Code::DeadlineExceeded)
    );
    // Given up by its client.
    let stream = client
        .server_streaming::<Amount>(method("Count"), &amount(1))
        .await
        .unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(
        codes(&recorded, "metered.MeteredService/Count"),
        once(Code::Cancelled)
    );
    // Left behind by one that goes away.
    let mut stream = client
        .server_streaming::<Amount>(method("Count"), &amount(1))
        .await
        .unwrap();
    stream.next().await.unwrap().unwrap();
    server.disconnect_all().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let twice = vec![("CANCELLED".to_owned(), 2)];
    assert_eq!(codes(&recorded, "metered.MeteredService/Count"), twice);
    assert_eq!(recorded.value("rpc_server_open_calls"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn calls_that_a_stop_ends_are_counted_as_unavailable() {
    let recorded = Recorded::new();
    let server = testing::serve(server().build().unwrap());
    let client = server.client();
    let waiting = tokio::spawn(
        client
            .unary::<Amount>(method("Delay"), &amount(60_000))
            .into_future(),
    );
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(recorded.value("rpc_server_open_calls"), 1.0);
    server.stop().await;
    waiting.await.unwrap().unwrap_err();
    assert_eq!(
        codes(&recorded, "metered.MeteredService/Delay"),
        once(Code::Unavailable)
    );
    assert_eq!(recorded.value("rpc_server_open_calls"), 0.0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_over_the_clients_limit_is_counted_as_what_the_client_was_told() {
    let recorded = Recorded::new();
    let server = testing::serve(server().build().unwrap());
    let client = server.builder().limits(ClientLimits {
        body_bytes: 1_000,
        ..ClientLimits::default()
    });
    let client = client.lazy().unwrap();
    // Known once the server has read it.
    call(&client, "Echo", 1).await.unwrap();
    let outcome = client.unary::<Blob>(method("Fill"), &amount(2_000)).await;
    assert_eq!(outcome.unwrap_err().code(), Some(Code::ResourceExhausted));
    assert_eq!(
        codes(&recorded, "metered.MeteredService/Fill"),
        once(Code::ResourceExhausted)
    );
}

#[tokio::test(start_paused = true)]
async fn one_way_calls_that_fail_are_counted() {
    let recorded = Recorded::new();
    let client = client();
    for data in [0, 1, 1] {
        client.unary::<()>(method("Note"), &amount(data)).await.unwrap();
    }
    call(&client, "Echo", 1).await.unwrap();
    assert_eq!(recorded.value("rpc_server_one_way_failures_total"), 2.0);
    let noted = codes(&recorded, "metered.MeteredService/Note");
    assert_eq!(noted, [("INTERNAL".to_owned(), 2), ("OK".to_owned(), 1)]);
}

#[tokio::test(start_paused = true)]
async fn changes_whose_events_are_not_published_are_counted_and_their_calls_succeed() {
    let recorded = Recorded::new();
    let declared = Hub::builder()
        .namespace(Namespace::<()>::of::<AmountChanged>())
        .build()
        .unwrap();
    for (hub, unpublished) in [(declared, 0.0), (Hub::default(), 2.0)] {
        let client = testing::serve(server().hub(hub).build().unwrap()).client();
        for data in [1, 2] {
            assert_eq!(call(&client, "Change", data).await, Ok(amount(data)));
        }
        assert_eq!(recorded.value("rpc_hub_unpublished_changes_total"), unpublished);
    }
}
