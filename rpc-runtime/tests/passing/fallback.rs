//! Custom message handlers: who takes the calls of methods that no service has.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use rpc_runtime::{
    Client, Code, ConnectInfo, Context, Rate, RateLimit, Server, ServerBuilder, Status, UnknownMethod,
    middleware::{Body, Call, Messages, Reply},
};

use crate::{
    guards::ByName,
    service::{Item, Nothing, answer, call, item, method},
};

/// Does for any method what its last word says, with what it is sent.
async fn custom(method: UnknownMethod, mut call: Call) -> Result<Reply, Status> {
    assert!(call.method().is_unknown());
    assert_eq!(method.name(), None, "our client calls by number");
    let name = match call.metadata().get("password") {
        Some("fail") => {
            return Err(Status::not_found("no such row").with_detail(&item("7")));
        }
        Some("wait") => std::future::pending().await,
        Some("panic") => panic!("as asked"),
        Some(name) => name.to_owned(),
        None => return Err(Status::unimplemented("not that either")),
    };
    assert_eq!(method.number(), self::method(&name).number);
    call.head().set_trailer("not", "sent");
    let body = std::mem::take(call.body_mut());
    let mut reply = Reply::new(match (&*name, body) {
        ("Echo" | "Tell" | "Relay", body) => body,
        ("Repeat", Body::Message(message)) => {
            Body::Stream(Messages::new(stream::iter([Ok(message.clone()), Ok(message)])))
        }
        ("Join", Body::Stream(mut messages)) => {
            let mut joined = Vec::new();
            while let Some(message) = messages.next().await {
                joined.push(message?.len().to_string());
            }
            // A message whose field 1 is a text.
            let text = joined.join("+");
            let mut encoded = vec![10, u8::try_from(text.len()).unwrap()];
            encoded.extend(text.into_bytes());
            Body::Message(encoded.into())
        }
        other => panic!("{other:?}"),
    });
    reply.metadata_mut().insert("ahead", "of it");
    reply
        .trailers()
        .update(|trailers| trailers.insert("behind", "it"));
    Ok(reply)
}

fn serve(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (Server, Client) {
    let server = configure(Server::builder().fallback(custom)).build().unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    (server, Client::from_io(near))
}

#[tokio::test(start_paused = true)]
async fn a_fallback_answers_calls_of_every_kind_of_methods_that_nobody_has() {
    for layered in [false, true] {
        let (server, client) = serve(|server| if layered { server.layer(Nothing) } else { server });
        for name in ["Echo", "Repeat", "Relay"] {
            let items = vec![item("a"), item("b")];
            let answered = call(&client, name, name, items.clone()).await.unwrap();
            assert_eq!(answered, answer(name, &items), "{name}");
        }
        let joined = call(&client, "Join", "Join", vec![item("a"), item("bb")])
            .await
            .unwrap();
        assert_eq!(joined, [item("3+4")]);
        let echo = client.unary::<Item>(method("Echo"), &item("a"));
        let reply = echo.metadata("password", "Echo").with_metadata().await.unwrap();
        assert_eq!(reply.metadata.get("ahead"), Some("of it"));
        assert_eq!(reply.trailers.get("behind"), Some("it"));
        let tell = client.unary::<()>(method("Tell"), &item("a"));
        tell.metadata("password", "Tell").await.unwrap();
        // A long answer is longer than a frame.
        let long = "x".repeat(500_000);
        let echo = client.unary::<String>(method("Echo"), &long);
        assert_eq!(echo.metadata("password", "Echo").await.unwrap(), long);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_fallback_fails_with_is_the_answer_and_no_fault_of_the_client() {
    let (server, client) = serve(|server| server);
    // More than so many faults would close the connection.
    for name in ["Echo", "Repeat", "Join", "Relay"].iter().cycle().take(80) {
        let error = call(&client, name, "fail", vec![item("a")]).await.unwrap_err();
        let status = error.status().unwrap();
        assert_eq!((status.code(), status.message()), (Code::NotFound, "no such row"));
        assert_eq!(status.details::<Item>().collect::<Vec<_>>(), [item("7")]);
    }
    let error = call(&client, "Echo", "panic", vec![item("a")]).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Internal));
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_a_fallback_does_not_answer_ends_at_its_deadline() {
    let (_server, client) = serve(|server| server);
    let error = client
        .unary::<Item>(method("Echo"), &item("a"))
        .metadata("password", "wait")
        .timeout(Duration::from_secs(1))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::DeadlineExceeded));
}

#[tokio::test(start_paused = true)]
async fn what_an_endpoint_asks_for_holds_for_methods_that_nobody_has() {
    let (_server, client) = serve(|server| server.authenticator(ByName).require_authentication());
    let error = call(&client, "Echo", "Echo", vec![item("a")]).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::Unauthenticated));

    let (_server, client) = serve(|server| server.rate_limit(RateLimit::messages(Rate::per_minute(3))));
    call(&client, "Relay", "Relay", vec![item("a"), item("b")])
        .await
        .unwrap();
    let error = call(&client, "Echo", "Echo", vec![item("a")]).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::ResourceExhausted));

    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    let (_server, client) = serve(|server| {
        server.interceptor(move |cx: &mut Context| {
            let method = cx.extensions().get::<UnknownMethod>();
            assert_eq!(
                method.map(UnknownMethod::number),
                Some(self::method("Echo").number)
            );
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    });
    call(&client, "Echo", "Echo", vec![item("a")]).await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_does_not_see_calls_of_methods_that_somebody_has() {
    let served = crate::service::serve(|server| {
        server
            .guard("first", crate::service::allow)
            .guard("second", crate::service::allow)
            .fallback(async |_: UnknownMethod, _: Call| -> Result<Reply, Status> {
                panic!("no method is unknown")
            })
    });
    call(&served.client, "Echo", "", vec![item("a")]).await.unwrap();
    assert_eq!(served.begun(), 1);
}
