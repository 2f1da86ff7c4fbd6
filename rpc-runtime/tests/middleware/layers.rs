//! Layers on the server: tower's own, and others.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use rpc_runtime::{
    CloseCode, Code, Context, Status,
    middleware::{Call, Next, Reply},
    status::BoxError,
};
use tower::{
    Layer, Service, ServiceBuilder,
    layer::{layer_fn, util::Identity},
    timeout::TimeoutLayer,
};

use crate::{
    kinds,
    service::{Item, Left, amount, call, item, method, pair, until},
};

#[tokio::test]
async fn without_anything_all_kinds_of_calls_work() {
    let (client, _) = pair(|server| server);
    kinds::check(&client, str::to_owned).await;
}

#[tokio::test]
async fn through_a_layer_that_does_nothing_all_kinds_of_calls_work() {
    let (client, _) = pair(|server| server.layer(Identity::new()));
    kinds::check(&client, str::to_owned).await;
}

#[tokio::test]
async fn through_many_layers_and_interceptors_all_kinds_of_calls_work() {
    let (client, _) = pair(|server| {
        server
            .interceptor(|_: &mut Context| Ok(()))
            .layer(
                ServiceBuilder::new()
                    .load_shed()
                    .concurrency_limit(100)
                    .timeout(Duration::from_secs(60))
                    .into_inner(),
            )
            .layer(
                ServiceBuilder::new()
                    .buffer(8)
                    .rate_limit(1_000_000, Duration::from_secs(1))
                    .into_inner(),
            )
            .layer(
                ServiceBuilder::new()
                    .map_request(|call: Call| call.map_body(|body| body.map(|message| message)))
                    .into_inner(),
            )
    });
    kinds::check(&client, str::to_owned).await;
}

#[tokio::test]
async fn what_a_layer_leaves_reaches_the_handler_of_every_kind() {
    let (client, _) = pair(|server| {
        server.layer(
            ServiceBuilder::new()
                .map_request(|mut call: Call| {
                    call.extensions_mut().insert(Left("left".into()));
                    call
                })
                .into_inner(),
        )
    });
    kinds::check(&client, |_| "left".to_owned()).await;
}

/// Puts its name into a list before and after each call.
#[derive(Clone)]
struct Naming {
    name: &'static str,
    names: Arc<Mutex<Vec<String>>>,
}

impl Naming {
    fn push(&self, what: &str) {
        self.names.lock().unwrap().push(format!("{what} {}", self.name));
    }
}

#[derive(Clone)]
struct Named<S>(Naming, S);

impl<S> Layer<S> for Naming {
    type Service = Named<S>;

    fn layer(&self, inner: S) -> Named<S> {
        Named(self.clone(), inner)
    }
}

impl<S> Service<Call> for Named<S>
where
    S: Service<Call, Response = Reply, Error = Status>,
    S::Future: Send + 'static,
{
    type Response = Reply;
    type Error = Status;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Reply, Status>> + Send>>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Status>> {
        self.1.poll_ready(cx)
    }

    fn call(&mut self, call: Call) -> Self::Future {
        self.0.push("into");
        let (naming, outcome) = (self.0.clone(), self.1.call(call));
        Box::pin(async move {
            let outcome = outcome.await;
            naming.push("out of");
            outcome
        })
    }
}

#[tokio::test]
async fn interceptors_come_first_and_layers_in_the_order_in_which_they_are_added() {
    let names = Arc::<Mutex<Vec<String>>>::default();
    let naming = |name| Naming {
        name,
        names: names.clone(),
    };
    let (first, second) = (naming("interceptor 1"), naming("interceptor 2"));
    let (client, traces) = pair(|server| {
        server
            .layer(naming("layer 1"))
            .interceptor(move |_: &mut Context| {
                first.push("into");
                Ok(())
            })
            .layer(naming("layer 2"))
            .interceptor(move |_: &mut Context| {
                second.push("into");
                Ok(())
            })
    });
    call(&client, "Echo", &item("")).await.unwrap();
    assert_eq!(
        *names.lock().unwrap(),
        [
            "into interceptor 1",
            "into interceptor 2",
            "into layer 1",
            "into layer 2",
            "out of layer 2",
            "out of layer 1"
        ]
    );
    // A request that breaks a rule has come through all of them, and not to its handler.
    let broken = item(&"x".repeat(21));
    call(&client, "Echo", &broken).await.unwrap_err();
    assert_eq!((names.lock().unwrap().len(), traces.started()), (12, 1));
}

#[tokio::test]
async fn an_error_of_another_kind_is_hidden_from_the_peer() {
    let filter = |_: Call| Err::<Call, _>(io::Error::other("password=hunter2"));
    let (client, _) = pair(|server| server.layer(ServiceBuilder::new().filter(filter).into_inner()));
    let error = call(&client, "Echo", &item("")).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(status.code(), Code::Internal);
    assert!(
        status.message().starts_with("internal error, logged under call "),
        "{status}"
    );
}

#[tokio::test]
async fn a_layer_that_panics_ends_its_call_and_nothing_else() {
    let panics = ServiceBuilder::new().map_request(|call: Call| {
        assert!(call.metadata().get("panic").is_none(), "as asked");
        call
    });
    let (client, _) = pair(|server| server.layer(panics.into_inner()));
    let error = call(&client, "Echo", &item(""))
        .metadata("panic", "now")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Internal));
    call(&client, "Echo", &item("")).await.unwrap();
}

#[tokio::test]
async fn a_layer_sees_requests_and_replies_encoded_and_may_change_them() {
    let layer = ServiceBuilder::new()
        .map_request(|call: Call| {
            assert_eq!(call.method().name, "Echo");
            assert_eq!(call.session().id().to_string().len(), 32);
            assert!(call.deadline().is_some());
            // A field that is a string: its key, its length, and the text.
            assert_eq!(call.body().message().unwrap(), &b"\x0a\x03abc"[..]);
            call.map_body(|body| body.map(|_| (&b"\x0a\x02de"[..]).into()))
        })
        .map_response(|mut reply: Reply| {
            assert_eq!(reply.body().message().unwrap(), &b"\x0a\x02de"[..]);
            assert_eq!(reply.metadata().get("ahead"), Some("of it"));
            reply.metadata_mut().insert("layer", "was here");
            reply
                .trailers()
                .update(|trailers| trailers.append("layer", "left"));
            reply
        });
    let (client, _) = pair(|server| server.layer(layer.into_inner()));
    let echo = call(&client, "Echo", &item("abc")).timeout(Duration::from_secs(60));
    let reply = echo.with_metadata().await.unwrap();
    assert_eq!(reply.value, item("de"));
    assert_eq!(reply.metadata.get("layer"), Some("was here"));
    assert_eq!(reply.trailers.get("layer"), Some("left"));
    assert_eq!(reply.trailers.get("behind"), Some("it"));
}

#[tokio::test]
async fn a_layer_may_count_and_trail_a_stream() {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    let layer = ServiceBuilder::new().map_response(move |reply: Reply| {
        let count = counting.clone();
        reply
            .trailers()
            .update(|trailers| trailers.insert("layer", "left"));
        reply.map_body(|body| {
            body.map(move |message| {
                count.fetch_add(1, Ordering::SeqCst);
                message
            })
        })
    });
    let (client, _) = pair(|server| server.layer(layer.into_inner()));
    let mut items = client
        .server_streaming::<Item>(method("Count"), &amount(5))
        .await
        .unwrap();
    while items.message().await.unwrap().is_some() {}
    assert_eq!(count.load(Ordering::SeqCst), 5);
    assert_eq!(items.trailers().get("layer"), Some("left"));
    assert_eq!(items.trailers().get("behind"), Some("it"));
}

#[tokio::test]
async fn a_stream_through_layers_waits_for_its_reader() {
    let (client, traces) = pair(|server| server.layer(Identity::new()));
    let mut items = client
        .server_streaming::<String>(method("Flood"), &item(""))
        .await
        .unwrap();
    items.message().await.unwrap();
    // Others are served while nobody reads.
    let mut before = 0;
    loop {
        call(&client, "Echo", &item("")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if traces.made() == before {
            break;
        }
        before = traces.made();
    }
    // 256 KiB of window, and what is on its way; a message has 16 KiB.
    assert!(traces.made() < 100, "{}", traces.made());
    drop(items);
    until("the stream is dropped", || traces.dropped() > 0).await;
    let dropped = traces.made();
    call(&client, "Echo", &item("")).await.unwrap();
    assert_eq!(traces.made(), dropped);
}

#[tokio::test]
async fn a_call_that_is_given_up_drops_layers_and_handler() {
    for name in ["Delay", "DelayApart"] {
        let (client, traces) = pair(|server| server.layer(TimeoutLayer::new(Duration::from_secs(3600))));
        let waiting = tokio::spawn(call(&client, name, &amount(1 << 40)).into_future());
        until("the handler has started", || traces.started() == 1).await;
        waiting.abort();
        until("the handler is dropped", || traces.dropped() == 1).await;
    }
}

#[tokio::test]
async fn a_sessions_method_has_its_grace_behind_layers() {
    for name in ["Part", "PartApart"] {
        let (client, traces) = pair(|server| server.layer(Identity::new()));
        let session = client.session(method(name), async |output, mut input| {
            output.send(item("")).await?;
            input.message().await.map(|_: Option<Item>| ())
        });
        let session = tokio::spawn(session.into_future());
        until("the method has started", || traces.started() == 1).await;
        client.close(CloseCode::Normal, "");
        assert!(session.await.unwrap().is_err());
        until("the method has parted", || traces.parted() == 1).await;
        until("the method is dropped", || traces.dropped() == 1).await;
    }
}

#[tokio::test]
async fn bodies_that_do_not_decode_count_through_layers_as_well() {
    let (client, _) = pair(|server| server.layer(Identity::new()));
    // A string where a number should be.
    #[derive(Clone, PartialEq, rpc_runtime::prost::Message)]
    struct Wrong {
        #[prost(string, tag = "2")]
        amount: String,
    }
    let wrong = Wrong { amount: "x".into() };
    let mut refused = 0;
    while refused < 64 {
        let error = client.unary::<Item>(method("Echo"), &wrong).await.unwrap_err();
        match error.code() {
            Some(Code::InvalidArgument) => refused += 1,
            // The connection was closed.
            _ => break,
        }
    }
    assert!((32..64).contains(&refused), "{refused}");
}

#[tokio::test]
async fn a_layer_that_takes_the_wrong_shape_of_a_body_is_an_internal_error() {
    let layer = ServiceBuilder::new().map_request(|call: Call| call.map_body(|_| Default::default()));
    let (client, _) = pair(|server| server.layer(layer.into_inner()));
    let items = futures_util::stream::iter([amount(1)]);
    let error = client
        .client_streaming::<Item, Item>(method("Sum"), items)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Internal));
}

#[tokio::test]
async fn a_closure_can_be_a_layer() {
    let (client, _) = pair(|server| {
        server.layer(layer_fn(|next: Next| {
            tower::service_fn(move |call: Call| {
                let mut next = next.clone();
                async move {
                    if call.metadata().contains("refused") {
                        return Err(BoxError::from(Status::aborted("by the layer")));
                    }
                    Ok(next.call(call).await?)
                }
            })
        }))
    });
    call(&client, "Echo", &item("")).await.unwrap();
    let error = call(&client, "Echo", &item(""))
        .metadata("refused", "")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Aborted));
}
