//! Sessions, for those who administer a server.

use std::collections::BTreeSet;

use rpc_runtime::{
    Client, CloseCode, Code, Server, StartError,
    services::{
        admin::{
            AdminClient, DisconnectRequest, GetSessionRequest, ListSessionsRequest, SessionDetails,
            StatsRequest, Target,
        },
        session::{InfoRequest, SessionClient, State},
    },
};

use crate::server::{connect, connect_as, connect_from, server, unguarded};

async fn admin(server: &Server) -> AdminClient {
    AdminClient::new(connect_as(server, "admin").await)
}

/// Calls something, so that the client is connected.
async fn touch(client: &Client) -> String {
    let info = SessionClient::new(client.clone())
        .info(InfoRequest {})
        .await
        .unwrap();
    info.client_id
}

async fn list(admin: &AdminClient, request: ListSessionsRequest) -> Vec<SessionDetails> {
    admin.list_sessions(request).await.unwrap().sessions
}

async fn disconnect(admin: &AdminClient, target: Target, code: u32, reason: &str) -> Result<u64, Code> {
    let request = DisconnectRequest {
        target,
        code,
        reason: reason.to_owned(),
    };
    let answer = admin.disconnect(request).await;
    answer
        .map(|done| done.count)
        .map_err(|error| error.code().unwrap())
}

#[test]
fn a_server_with_the_service_and_without_the_guard_does_not_start() {
    let error = unguarded().build().unwrap_err();
    assert!(
        matches!(&error, StartError::GuardMissing { guard: "admin", method, .. } if method.starts_with("rpc.admin.v1.")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_method_is_refused_to_anonymous_clients_and_to_users_without_the_right() {
    let server = server();
    let clients = [connect(&server), connect_as(&server, "ali").await].map(AdminClient::new);
    for (client, code) in clients
        .iter()
        .zip([Code::Unauthenticated, Code::PermissionDenied])
    {
        let listed = client.list_sessions(ListSessionsRequest::default()).await;
        assert_eq!(listed.unwrap_err().code(), Some(code));
        let found = client.get_session(GetSessionRequest::default()).await;
        assert_eq!(found.unwrap_err().code(), Some(code));
        let disconnected = disconnect(client, Target::UserId("ali".to_owned()), 1000, "").await;
        assert_eq!(disconnected.unwrap_err(), code);
        let stats = client.stats(StatsRequest {}).await;
        assert_eq!(stats.unwrap_err().code(), Some(code));
    }
    assert_eq!(server.connections(), 2, "nobody was disconnected");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_listed_in_pages_each_once_in_the_order_of_their_ids() {
    let server = server();
    let admin = admin(&server).await;
    let mut clients = Vec::new();
    for _ in 0..250 {
        clients.push(connect(&server));
        touch(clients.last().unwrap()).await;
    }
    let mut ids = Vec::new();
    let mut sizes = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListSessionsRequest {
            page_token,
            ..ListSessionsRequest::default()
        };
        let page = admin.list_sessions(request).await.unwrap();
        sizes.push(page.sessions.len());
        ids.extend(page.sessions.into_iter().map(|session| session.client_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(sizes, [100, 100, 51]);
    assert!(ids.is_sorted_by(|a, b| a < b));
    let all: BTreeSet<_> = server
        .sessions()
        .map(|session| session.id().to_string())
        .collect();
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), all);
    // A page that is just full is the last.
    let request = ListSessionsRequest {
        page_size: 251,
        ..ListSessionsRequest::default()
    };
    let page = admin.list_sessions(request).await.unwrap();
    assert_eq!((page.sessions.len(), page.next_page_token.as_str()), (251, ""));
}

#[tokio::test(start_paused = true)]
async fn sessions_are_found_by_user_address_and_path() {
    let server = server();
    let admin = admin(&server).await;
    let ali = connect_as(&server, "ali").await;
    let far = connect_from(&server, "198.51.100.9", "/game/7");
    let (ali, far) = (touch(&ali).await, touch(&far).await);
    let ids = |sessions: Vec<SessionDetails>| -> Vec<String> {
        sessions.into_iter().map(|session| session.client_id).collect()
    };
    let by_user = ListSessionsRequest {
        user_id: Some("ali".to_owned()),
        ..ListSessionsRequest::default()
    };
    assert_eq!(ids(list(&admin, by_user.clone()).await), [ali.as_str()]);
    let by_address = ListSessionsRequest {
        address: Some("198.51.100.9".to_owned()),
        ..ListSessionsRequest::default()
    };
    assert_eq!(ids(list(&admin, by_address).await), [far.as_str()]);
    let by_path = ListSessionsRequest {
        path: Some("/game/7".to_owned()),
        ..ListSessionsRequest::default()
    };
    assert_eq!(ids(list(&admin, by_path).await), [far.as_str()]);
    let by_both = ListSessionsRequest {
        path: Some("/game/7".to_owned()),
        ..by_user
    };
    assert_eq!(ids(list(&admin, by_both).await), [""; 0]);
    let session = admin
        .get_session(GetSessionRequest { client_id: ali })
        .await
        .unwrap()
        .session;
    assert_eq!(
        (session.user_id.as_deref(), session.state),
        (Some("ali"), State::Authenticated)
    );
    assert_eq!((session.calls, session.failed_calls), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_is_an_invalid_argument() {
    let server = server();
    let admin = admin(&server).await;
    for request in [
        ListSessionsRequest {
            address: Some("192.0.2.1:80".to_owned()),
            ..ListSessionsRequest::default()
        },
        ListSessionsRequest {
            page_token: "2".to_owned(),
            ..ListSessionsRequest::default()
        },
    ] {
        let error = admin.list_sessions(request).await.unwrap_err();
        assert_eq!(error.code(), Some(Code::InvalidArgument));
    }
    for (target, code) in [
        (Target::Nobody, 1000),
        (Target::ClientId("ali".to_owned()), 1000),
        (Target::UserId("ali".to_owned()), 1006),
        (Target::UserId("ali".to_owned()), 1005),
    ] {
        assert_eq!(
            disconnect(&admin, target, code, "").await,
            Err(Code::InvalidArgument)
        );
    }
    let client_id = "0".repeat(32);
    let missing = admin
        .get_session(GetSessionRequest {
            client_id: client_id.clone(),
        })
        .await;
    assert_eq!(missing.unwrap_err().code(), Some(Code::NotFound));
    assert_eq!(
        disconnect(&admin, Target::ClientId(client_id), 1000, "").await,
        Ok(0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_is_disconnected_with_the_code_and_the_reason_and_no_other() {
    let server = server();
    let admin = admin(&server).await;
    let (client, other) = (connect_as(&server, "ali").await, connect_as(&server, "ali").await);
    let id = touch(&client).await;
    assert_eq!(
        disconnect(&admin, Target::ClientId(id), 4999, "enough").await,
        Ok(1)
    );
    let closed = client.closed().await;
    assert_eq!((closed.close_code().as_u16(), closed.reason()), (4999, "enough"));
    touch(&other).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_is_disconnected_everywhere_with_the_code_and_the_reason() {
    let server = server();
    let admin = admin(&server).await;
    let clients = [connect_as(&server, "ali").await, connect_as(&server, "ali").await];
    let other = connect_as(&server, "bea").await;
    let count = disconnect(
        &admin,
        Target::UserId("ali".to_owned()),
        1008,
        "the account is closed",
    )
    .await;
    assert_eq!(count, Ok(2));
    for client in &clients {
        let closed = client.closed().await;
        assert_eq!(closed.close_code(), CloseCode::PolicyViolation);
        assert_eq!(closed.reason(), "the account is closed");
    }
    touch(&other).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn administrators_who_disconnect_themselves_have_their_answer_first() {
    let server = server();
    let admin = admin(&server).await;
    let count = disconnect(&admin, Target::UserId("admin".to_owned()), 1000, "good night").await;
    assert_eq!(count, Ok(1));
    assert_eq!(admin.client().closed().await.close_code(), CloseCode::Normal);
}

#[tokio::test(start_paused = true)]
async fn stats_grow_and_keep_what_clients_that_are_gone_have_done() {
    let server = server();
    let admin = admin(&server).await;
    let before = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!(
        (before.connections, before.authenticated, before.connections_made),
        (1, 1, 1)
    );
    let client = connect(&server);
    for _ in 0..5 {
        touch(&client).await;
    }
    let refused = AdminClient::new(client.clone()).stats(StatsRequest {}).await;
    refused.unwrap_err();
    let during = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!(
        (during.connections, during.authenticated, during.connections_made),
        (2, 1, 2)
    );
    assert_eq!(
        during.calls,
        before.calls + 7,
        "six of the client's, and one of these"
    );
    assert_eq!(during.failed_calls, before.failed_calls + 1);
    assert!(during.bytes_received > before.bytes_received && during.bytes_sent > before.bytes_sent);
    client.close(CloseCode::Normal, "");
    client.closed().await;
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    let after = admin.stats(StatsRequest {}).await.unwrap();
    assert_eq!((after.connections, after.connections_made), (1, 2));
    assert_eq!(after.calls, during.calls + 1);
    assert_eq!(after.failed_calls, during.failed_calls);
    assert!(after.bytes_received > during.bytes_received);
}
