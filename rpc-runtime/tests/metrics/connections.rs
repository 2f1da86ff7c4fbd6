//! Connections, sessions, and what goes over them.

use std::time::Duration;

use futures_util::StreamExt;
use rpc_runtime::{Server, testing};

use crate::{
    recorder::Recorded,
    service::{Amount, Blob, MeteredGateway, amount, method, server},
};

#[tokio::test(start_paused = true)]
async fn nothing_is_recorded_unless_it_is_turned_on() {
    let recorded = Recorded::new();
    let server = testing::serve(Server::builder().service(MeteredGateway).build().unwrap());
    let client = server.client();
    let _: Amount = client.unary(method("Echo"), &amount(1)).await.unwrap();
    server.stop().await;
    assert_eq!(recorded.series(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_goes_over_connections_is_counted_in_messages_and_bytes() {
    let recorded = Recorded::new();
    let server = testing::serve(server().build().unwrap());
    let clients = [server.client(), server.client()];
    for client in &clients {
        let _: Blob = client.unary(method("Fill"), &amount(10_000)).await.unwrap();
    }
    assert_eq!(recorded.value("rpc_server_connections_total"), 2.0);
    let sent = recorded.value("rpc_server_sent_bytes_total");
    assert!((20_000.0..21_000.0).contains(&sent), "{sent}");
    let received = recorded.value("rpc_server_received_bytes_total");
    assert!((20.0..1_000.0).contains(&received), "{received}");
    // A greeting and an answer each; a greeting and a request each.
    assert_eq!(recorded.value("rpc_server_sent_messages_total"), 4.0);
    assert_eq!(recorded.value("rpc_server_received_messages_total"), 4.0);
}

#[tokio::test(start_paused = true)]
async fn calls_that_stream_and_what_waits_for_their_clients_are_gauges_that_go_back_to_zero() {
    let recorded = Recorded::new();
    let server = testing::serve(server().build().unwrap());
    let client = server.client();
    // Messages longer than the streams' windows, which nobody reads.
    let mut blobs = Vec::new();
    for _ in 0..2 {
        let call = client.server_streaming::<Blob>(method("Flood"), &amount(900_000));
        blobs.push(call.await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(recorded.value("rpc_server_open_calls"), 2.0);
    let queued = recorded.value("rpc_server_queued_bytes");
    assert!(queued > 0.0, "{queued}");
    blobs[0].next().await.unwrap().unwrap();
    server.disconnect_all().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    for gauge in [
        "rpc_server_open_calls",
        "rpc_server_queued_bytes",
        "rpc_server_unflushed_bytes",
        "rpc_server_held_bytes",
    ] {
        assert_eq!(recorded.value(gauge), 0.0, "{gauge}");
    }
}
