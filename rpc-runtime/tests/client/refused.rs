//! Why there is no connection: each kind of refusal, over real sockets.

use std::{io, time::Duration};

use rpc_runtime::{
    CallError, Client, ClientLimits, ConnectionState, Limits, Reconnect, Refused, RefusedKind,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::service::{call, desk, note};

async fn refusal(url: &str) -> Refused {
    match Client::connect(url).await {
        Err(CallError::Refused(refused)) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

/// A server that answers every connection with these bytes.
async fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = answer_one(stream, answer).await;
        }
    });
    url
}

async fn answer_one(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

#[tokio::test]
async fn a_refusal_says_what_stood_in_the_way() {
    for url in [
        "",
        "not a url",
        "http://127.0.0.1/rpc",
        "127.0.0.1:80",
        "ws:///rpc",
    ] {
        assert_eq!(refusal(url).await.kind(), RefusedKind::BadUrl, "{url:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("ws://{}/rpc", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(refusal(&nobody).await.kind(), RefusedKind::Unreachable);

    let denied = answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let denied = refusal(&denied).await;
    assert_eq!(denied.kind(), RefusedKind::Http(403));
    assert_eq!(denied.http_status(), Some(403));

    let busy = answering("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(refusal(&busy).await.retry_after(), Some(Duration::from_secs(7)));

    let strange = answering("220 mail.example.com ESMTP\r\n\r\n").await;
    assert_eq!(refusal(&strange).await.kind(), RefusedKind::NotThisProtocol);

    let bad = Client::builder(&nobody).header("a b", "c").lazy().unwrap_err();
    match bad {
        CallError::Refused(refused) => assert_eq!(refused.kind(), RefusedKind::BadHeader),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_with_which_nothing_works_is_told_before_the_client_is_made() {
    for (limits, said) in [
        (
            ClientLimits {
                close_timeout: Duration::MAX,
                ..ClientLimits::default()
            },
            "`close_timeout` is longer than a hundred years",
        ),
        (
            ClientLimits {
                write_stall: Duration::MAX,
                ..ClientLimits::default()
            },
            "`write_stall` is longer than a hundred years",
        ),
        (
            ClientLimits {
                write_stall: Duration::ZERO,
                ..ClientLimits::default()
            },
            "`write_stall` is no time at all",
        ),
        (
            ClientLimits {
                body_bytes: 0,
                ..ClientLimits::default()
            },
            "`body_bytes` is 0 and must be at least 1",
        ),
    ] {
        let builder = Client::builder("ws://127.0.0.1:1/rpc").limits(limits);
        match builder.lazy().unwrap_err() {
            CallError::Refused(refused) => {
                assert_eq!(refused.kind(), RefusedKind::BadLimit);
                assert!(refused.to_string().contains(said), "{refused}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_that_is_not_let_in_does_not_try_again() {
    for status in ["401 Unauthorized", "403 Forbidden"] {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let url = answering(answer.leak()).await;
        let client = Client::lazy(&url).unwrap();
        let error = call(&client, "Read", &note(1)).await.unwrap_err();
        assert!(matches!(error, CallError::Refused(_)), "{error:?}");
        assert_eq!(client.state(), ConnectionState::Closed);
    }
}

#[tokio::test]
async fn headers_reach_the_server() {
    let (server, _) = desk(Limits::default());
    let app = axum::Router::new().route_service("/rpc", server);
    let guard = axum::middleware::from_fn(
        |request: axum::extract::Request, next: axum::middleware::Next| async {
            match request.headers().get("x-tenant") {
                Some(tenant) if tenant == "acme" => next.run(request).await,
                _ => axum::response::IntoResponse::into_response(http::StatusCode::IM_A_TEAPOT),
            }
        },
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.layer(guard)).await });
    assert_eq!(refusal(&url).await.kind(), RefusedKind::Http(418));
    let client = Client::builder(&url)
        .header("X-Tenant", "acme")
        .connect()
        .await
        .unwrap();
    assert_eq!(call(&client, "Echo", &note(5)).await.unwrap(), note(5));
}

#[tokio::test]
async fn a_lazy_client_whose_attempts_are_used_up_says_why() {
    let url = answering("HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n").await;
    let reconnect = Reconnect {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        attempts: Some(2),
        ..Reconnect::default()
    };
    let client = Client::builder(&url).reconnect(reconnect).lazy().unwrap();
    match client.ready().await {
        Err(CallError::Refused(refused)) => assert_eq!(refused.http_status(), Some(500)),
        other => panic!("{other:?}"),
    }
}
