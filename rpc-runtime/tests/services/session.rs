//! What clients are told about their own sessions.

use std::time::{Duration, SystemTime};

use rpc_runtime::{
    Client, Limits,
    services::session::{InfoRequest, InfoResponse, SessionClient, State},
};

use crate::server::{connect, connect_as, connect_from, server};

async fn info(client: &Client) -> InfoResponse {
    SessionClient::new(client.clone())
        .info(InfoRequest {})
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_anonymous_client_is_told_the_facts_of_its_greeting_and_its_session() {
    let server = server();
    let before = SystemTime::now();
    let client = connect_from(&server, "2001:db8::7", "/rpc?a=b");
    let info = info(&client).await;
    let session = server.sessions().next().unwrap();
    assert_eq!(info.client_id, session.id().to_string());
    assert_eq!((info.user_id, info.state), (None, State::Anonymous));
    assert!(!info.authentication_required && info.identity_expires.is_none());
    assert_eq!(info.peer_address.as_deref(), Some("2001:db8::7"));
    assert_eq!(info.path, "/rpc");
    assert_eq!(info.started, session.started());
    assert!(info.started >= before && info.server_time >= info.started);
    let limits = Limits::default();
    assert_eq!(info.limits.message_bytes, limits.message_bytes as u64);
    assert_eq!(info.limits.body_bytes, limits.body_bytes as u64);
    assert_eq!(info.limits.streams, limits.streams as u64);
    assert_eq!(info.limits.stream_window_bytes, limits.stream_window as u64);
    assert_eq!(
        info.limits.connection_window_bytes,
        limits.connection_window as u64
    );
    assert_eq!(info.limits.metadata_entries, limits.metadata_entries as u64);
    assert_eq!(info.limits.metadata_bytes, limits.metadata_bytes as u64);
    assert_eq!(info.heartbeat_interval, limits.ping_interval);
    assert_eq!(info.heartbeat_timeout, limits.pong_timeout);
    assert_eq!(info.round_trip_time, None);
}

#[tokio::test(start_paused = true)]
async fn an_authenticated_client_is_told_who_it_is_and_nobody_else() {
    let server = server();
    let other = connect_as(&server, "bea").await;
    let client = connect_as(&server, "ali").await;
    let info_of_client = info(&client).await;
    assert_eq!(info_of_client.user_id.as_deref(), Some("ali"));
    assert_eq!(info_of_client.state, State::Authenticated);
    assert_eq!(info(&other).await.user_id.as_deref(), Some("bea"));
}

#[tokio::test(start_paused = true)]
async fn the_round_trip_time_is_told_once_a_ping_was_answered() {
    let server = server();
    let client = connect(&server);
    info(&client).await;
    tokio::time::sleep(Limits::default().ping_interval + Duration::from_secs(1)).await;
    assert!(info(&client).await.round_trip_time.is_some());
}
