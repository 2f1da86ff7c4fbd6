//! What is shown in the handshake of a URL, over real sockets.

use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use http::{HeaderValue, StatusCode, header};
use rpc_protocol::{Frame, FrameKind};
use rpc_runtime::{CallError, Client, ClientBuilder, Code, ConnectionState, RefusedKind, auth::Credential};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use super::{shown, tokens};
use crate::service::{call, note};

/// Answers one handshake, with this status if that is not 101; gives what it showed.
async fn accept(
    listener: &TcpListener,
    status: StatusCode,
) -> (Option<HeaderValue>, Option<WebSocketStream<TcpStream>>) {
    let (stream, _) = listener.accept().await.unwrap();
    let header = Arc::new(Mutex::new(None));
    let seen = header.clone();
    #[allow(clippy::result_large_err, reason = "the callback's signature")]
    let callback = move |request: &Request, mut response: Response| {
        *seen.lock().unwrap() = request.headers().get(header::AUTHORIZATION).cloned();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            let mut refused = ErrorResponse::new(None);
            *refused.status_mut() = status;
            return Err(refused);
        }
        let protocol = HeaderValue::from_static("rpc.v1");
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    };
    let socket = accept_hdr_async(stream, callback).await.ok();
    let header = header.lock().unwrap().take();
    (header, socket)
}

async fn listen() -> (TcpListener, ClientBuilder) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/rpc", listener.local_addr().unwrap());
    (listener, Client::builder(url))
}

/// The kinds of frames up to the first request; an authentication with its number.
async fn frames(mut socket: WebSocketStream<TcpStream>) -> Vec<FrameKind> {
    let mut kinds = Vec::new();
    loop {
        let Some(Ok(Message::Binary(message))) = socket.next().await else {
            panic!("the client is gone")
        };
        let Frame { kind, .. } = Frame::decode(message).unwrap();
        let is_request = matches!(kind, FrameKind::Request(_));
        kinds.push(kind);
        if is_request {
            return kinds;
        }
    }
}

const UPGRADE: StatusCode = StatusCode::SWITCHING_PROTOCOLS;

#[tokio::test]
async fn a_token_is_shown_in_the_handshake_and_not_again_in_band() {
    let (listener, builder) = listen().await;
    // What was set by hand gives way.
    let client = builder
        .header("authorization", "Basic eDp5")
        .credential(Credential::bearer("abc.def"))
        .lazy()
        .unwrap();
    let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
    let (header, socket) = accept(&listener, UPGRADE).await;
    assert_eq!(header.unwrap(), "Bearer abc.def");
    let kinds = frames(socket.unwrap()).await;
    assert!(
        matches!(kinds[..], [FrameKind::Greeting(_), FrameKind::Request(_)]),
        "{kinds:?}"
    );
    running.abort();
}

#[tokio::test]
async fn what_a_header_cannot_say_is_shown_in_band_before_all_calls() {
    for (credential, secret) in [
        (Credential::new("password", "xyz"), "xyz"),
        (Credential::bearer("abc").with_metadata("device", "phone"), "abc"),
        (Credential::bearer("a\nb"), "a\nb"),
    ] {
        let (listener, builder) = listen().await;
        let client = builder.credential(credential.clone()).lazy().unwrap();
        let running = tokio::spawn(call(&client, "Write", &note(1)).into_future());
        let (header, socket) = accept(&listener, UPGRADE).await;
        assert_eq!(header, None);
        let kinds = frames(socket.unwrap()).await;
        let [
            FrameKind::Greeting(_),
            FrameKind::Authenticate(authenticate),
            FrameKind::Request(_),
        ] = &kinds[..]
        else {
            panic!("{kinds:?}")
        };
        assert_eq!(shown(authenticate), (credential.scheme(), secret));
        assert_eq!(authenticate.purpose, 0);
        assert_eq!(authenticate.metadata.len(), credential.metadata().len());
        running.abort();
    }
}

#[tokio::test]
async fn every_handshake_shows_a_fresh_token_of_the_provider() {
    let (listener, builder) = listen().await;
    let (_, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    let ready = tokio::spawn({
        let client = client.clone();
        async move { client.ready().await }
    });
    let (header, socket) = accept(&listener, UPGRADE).await;
    assert_eq!(header.unwrap(), "Bearer token 1");
    ready.await.unwrap().unwrap();
    drop(socket);
    let (header, _socket) = accept(&listener, UPGRADE).await;
    assert_eq!(header.unwrap(), "Bearer token 2");
}

#[tokio::test]
async fn a_handshake_that_is_refused_with_401_is_final_and_one_with_503_is_not() {
    let (listener, builder) = listen().await;
    let (given, provider) = tokens();
    let client = builder.credentials(provider).lazy().unwrap();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.ready().await }
    });
    let (header, _) = accept(&listener, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(header.unwrap(), "Bearer token 1");
    let (header, _) = accept(&listener, StatusCode::UNAUTHORIZED).await;
    assert_eq!(header.unwrap(), "Bearer token 2");
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated));
    match &error {
        CallError::Refused(refused) => assert_eq!(refused.kind(), RefusedKind::Http(401)),
        other => panic!("{other:?}"),
    }
    assert_eq!(client.state(), ConnectionState::Closed);
    assert_eq!(given.load(std::sync::atomic::Ordering::SeqCst), 2);
}
