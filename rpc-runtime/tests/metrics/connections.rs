//! Connections, sessions, and what goes over them.

use std::time::Duration;

use futures_util::StreamExt;
use rpc_runtime::{
    Client, CloseCode, Code, ConnectInfo, Context, Rate, RateLimit, Server, Status,
    auth::{Attempt, AuthError, Authenticator, Credential, Identity},
    services::{
        admin::{self, AdminClient, StatsRequest},
        session::{self, InfoRequest, SessionClient},
    },
    testing,
};

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

/// Knows everybody but those whose secret says how it is refused.
struct Fussy;

impl Authenticator for Fussy {
    async fn authenticate(&self, attempt: &Attempt<'_>) -> Result<Identity, AuthError> {
        match attempt.credential().text().unwrap() {
            "invalid" => Err(AuthError::invalid("asked to")),
            "expired" => Err(AuthError::Expired),
            "unavailable" => Err(AuthError::unavailable("asked to")),
            "unknown" => Err(AuthError::UnknownScheme),
            name => Ok(Identity::new(name)),
        }
    }
}

fn fussy() -> Server {
    server()
        .authenticator(Fussy)
        .service(session::gateway())
        .service(admin::gateway())
        .guard("admin", |_: &Context| {
            Err(Status::permission_denied("nobody may"))
        })
        .rate_limit(RateLimit::messages(Rate::per_minute(3)).of_method("metered.MeteredService/Echo"))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn sessions_are_a_gauge_by_state_which_follows_them_to_their_end() {
    let recorded = Recorded::new();
    let server = testing::serve(fussy());
    let clients = [server.client(), server.client(), server.client()];
    for client in &clients {
        client.ready().await.unwrap();
    }
    let sessions = || recorded.all("rpc_server_sessions");
    assert_eq!(sessions(), [("state=anonymous".to_owned(), 3.0)]);
    clients[0].authenticate(Credential::bearer("ali")).await.unwrap();
    assert_eq!(
        sessions(),
        [
            ("state=anonymous".to_owned(), 2.0),
            ("state=authenticated".to_owned(), 1.0)
        ]
    );
    clients[1].close(CloseCode::Normal, "");
    clients[1].closed().await;
    server.stop().await;
    assert_eq!(sessions(), []);
}

#[tokio::test(start_paused = true)]
async fn connections_are_counted_by_how_they_ended() {
    let recorded = Recorded::new();
    let server = testing::serve(fussy());
    let clients = [server.client(), server.client()];
    for client in &clients {
        client.ready().await.unwrap();
    }
    clients[0].close(CloseCode::Normal, "");
    clients[0].closed().await;
    clients[1].close(CloseCode::Other(4_999), "");
    clients[1].closed().await;
    let third = server.client();
    third.ready().await.unwrap();
    server.disconnect_all().await;
    third.ready().await.unwrap();
    server.stop().await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(
        recorded.all("rpc_server_closes_total"),
        [
            ("code=1000 by=client".to_owned(), 1.0),
            ("code=1006 by=neither".to_owned(), 1.0),
            ("code=1012 by=server".to_owned(), 1.0),
            ("code=other by=client".to_owned(), 1.0),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_on_live_connections_are_counted_by_what_came_of_them() {
    let recorded = Recorded::new();
    let server = testing::serve(fussy());
    let client = server.client();
    for secret in ["invalid", "expired", "unavailable", "unknown"] {
        client.authenticate(Credential::bearer(secret)).await.unwrap_err();
    }
    client.authenticate(Credential::bearer("ali")).await.unwrap();
    client.authenticate(Credential::bearer("ali")).await.unwrap();
    client.authenticate(Credential::bearer("bea")).await.unwrap_err();
    assert_eq!(
        recorded.all("rpc_server_authentications_total"),
        [
            ("source=in_band outcome=accepted".to_owned(), 2.0),
            ("source=in_band outcome=expired".to_owned(), 1.0),
            ("source=in_band outcome=invalid".to_owned(), 1.0),
            ("source=in_band outcome=subject_changed".to_owned(), 1.0),
            ("source=in_band outcome=unavailable".to_owned(), 1.0),
            ("source=in_band outcome=unknown_scheme".to_owned(), 1.0),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn calls_that_do_not_reach_their_handlers_are_counted_by_the_reason() {
    let recorded = Recorded::new();
    let server = fussy();
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    let client = Client::from_io(near);
    SessionClient::new(client.clone())
        .info(InfoRequest {})
        .await
        .unwrap();
    let refused = AdminClient::new(client.clone()).stats(StatsRequest {}).await;
    assert_eq!(refused.unwrap_err().code(), Some(Code::PermissionDenied));
    for _ in 0..5 {
        let _ = client.unary::<Amount>(method("Echo"), &amount(1)).await;
    }
    assert_eq!(
        recorded.all("rpc_server_refused_calls_total"),
        [("reason=guard".to_owned(), 1.0), ("reason=rate".to_owned(), 2.0)]
    );
}
