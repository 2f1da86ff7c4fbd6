//! Layers and interceptors on the client.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use rpc_runtime::{
    CallError, Code, Reconnect, Status,
    middleware::{Call, Head, Outbound, Reply},
};
use tower::{ServiceBuilder, layer::util::Identity, limit::ConcurrencyLimitLayer, timeout::TimeoutLayer};

use crate::{
    kinds,
    service::{Item, amount, call, client, item, method, until},
};

#[tokio::test]
async fn through_a_layer_that_does_nothing_all_kinds_of_calls_work() {
    let (_server, client, _) = client(|client| client.layer(Identity::new()));
    kinds::check(&client, str::to_owned).await;
}

#[tokio::test]
async fn through_many_layers_and_interceptors_all_kinds_of_calls_work() {
    let (_server, client, _) = client(|client| {
        client
            .interceptor(|_: &mut Outbound| Ok(()))
            .timeout(Duration::from_secs(60))
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
                    .map_request(|call: Call<Outbound>| call.map_body(|body| body.map(|message| message)))
                    .map_response(|reply: Reply| reply.map_body(|body| body.map(|message| message)))
                    .into_inner(),
            )
    });
    kinds::check(&client, str::to_owned).await;
}

#[tokio::test]
async fn an_interceptor_sees_calls_of_every_kind_and_may_refuse_them_before_they_are_sent() {
    let seen = Arc::new(AtomicUsize::new(0));
    let seeing = seen.clone();
    let (server, client, traces) = client(|client| {
        client.interceptor(move |call: &mut Outbound| {
            seeing.fetch_add(1, Ordering::SeqCst);
            assert_eq!(
                call.extensions().get::<u8>(),
                (call.method().name == "Echo").then_some(&7)
            );
            Err(Status::failed_precondition(format!(
                "{} is refused",
                call.method().name
            )))
        })
    });
    let refused = |error: CallError, name: &str| {
        let status = error.status().unwrap();
        assert_eq!(
            (status.code(), status.message()),
            (Code::FailedPrecondition, &*format!("{name} is refused"))
        );
    };
    refused(
        call(&client, "Echo", &item(""))
            .extension(7_u8)
            .await
            .unwrap_err(),
        "Echo",
    );
    refused(
        client
            .server_streaming::<Item>(method("Count"), &amount(1))
            .await
            .unwrap_err(),
        "Count",
    );
    let items = || stream::iter([amount(1)]);
    refused(
        client
            .client_streaming::<Item, Item>(method("Sum"), items())
            .await
            .unwrap_err(),
        "Sum",
    );
    refused(
        client
            .bidirectional::<Item, Item>(method("Relay"), items())
            .await
            .unwrap_err(),
        "Relay",
    );
    let session = client.session::<Item, Item, _, _, ()>(method("Chat"), async |_, _| unreachable!());
    refused(session.await.unwrap_err(), "Chat");
    assert_eq!(
        (
            seen.load(Ordering::SeqCst),
            traces.started(),
            server.connections()
        ),
        (5, 0, 0)
    );
}

#[tokio::test]
async fn an_interceptor_adds_metadata_and_may_set_a_timeout() {
    let (_server, client, _) = client(|client| {
        client.interceptor(|call: &mut Outbound| {
            call.metadata_mut().insert("tenant", "acme");
            call.set_timeout(Some(Duration::from_millis(20)));
            Ok(())
        })
    });
    let told = call(&client, "Tell", &item("tenant"))
        .metadata("tenant", "another")
        .await
        .unwrap();
    assert_eq!(told.text, "acme");
    let late = call(&client, "Delay", &amount(1 << 40)).await.unwrap_err();
    assert!(matches!(late, CallError::TimedOut(_)), "{late:?}");
}

#[tokio::test]
async fn a_timeout_is_a_deadline_exceeded_and_cancels_the_call() {
    let (_server, client, traces) =
        client(|client| client.layer(TimeoutLayer::new(Duration::from_millis(20))));
    let late = call(&client, "Delay", &amount(1 << 40)).await.unwrap_err();
    assert_eq!(late.code(), Some(Code::DeadlineExceeded));
    until("the handler is dropped", || traces.dropped() == 1).await;
}

#[tokio::test]
async fn a_call_that_waits_in_a_layer_is_given_up_at_its_own_timeout() {
    let (_server, client, traces) = client(|client| client.layer(ConcurrencyLimitLayer::new(1)));
    let waiting = tokio::spawn(call(&client, "Delay", &amount(1 << 40)).into_future());
    until("the handler has started", || traces.started() == 1).await;
    let late = call(&client, "Echo", &item(""))
        .timeout(Duration::from_millis(20))
        .await
        .unwrap_err();
    assert!(matches!(late, CallError::TimedOut(_)), "{late:?}");
    assert_eq!(traces.started(), 1);
    waiting.abort();
}

#[tokio::test]
async fn load_that_is_shed_is_unavailable_and_a_filter_refuses_with_its_status() {
    let filter = |call: Call<Outbound>| match call.metadata().contains("aborted") {
        false => Ok(call),
        true => Err(Status::aborted("by the filter")),
    };
    let (_server, client, traces) = client(|client| {
        client.layer(
            ServiceBuilder::new()
                .load_shed()
                .concurrency_limit(1)
                .filter(filter)
                .into_inner(),
        )
    });
    let aborted = call(&client, "Echo", &item(""))
        .metadata("aborted", "")
        .await
        .unwrap_err();
    assert_eq!(aborted.code(), Some(Code::Aborted));
    let waiting = tokio::spawn(call(&client, "Delay", &amount(1 << 40)).into_future());
    until("the handler has started", || traces.started() == 1).await;
    let shed = call(&client, "Echo", &item("")).await.unwrap_err();
    assert_eq!(shed.code(), Some(Code::Unavailable));
    waiting.abort();
}

#[tokio::test]
async fn what_a_layer_makes_of_requests_and_replies_is_what_is_sent_and_returned() {
    let layer = ServiceBuilder::new()
        .map_request(|mut call: Call<Outbound>| {
            call.metadata_mut().insert("tenant", "layered");
            call
        })
        .map_response(|mut reply: Reply| {
            reply.metadata_mut().insert("layer", "was here");
            reply
        });
    let (_server, client, _) = client(|client| client.layer(layer.into_inner()));
    let told = call(&client, "Tell", &item("tenant"))
        .with_metadata()
        .await
        .unwrap();
    assert_eq!(
        (told.value.text.as_str(), told.metadata.get("layer")),
        ("layered", Some("was here"))
    );
    let items = client
        .server_streaming::<Item>(method("Count"), &amount(1))
        .await
        .unwrap();
    assert_eq!(items.metadata().get("layer"), Some("was here"));
}

#[tokio::test]
async fn a_stream_through_layers_waits_for_its_reader_and_is_cancelled_with_it() {
    let (_server, client, traces) = client(|client| client.layer(Identity::new()));
    let mut items = client
        .server_streaming::<String>(method("Flood"), &item(""))
        .await
        .unwrap();
    items.message().await.unwrap();
    let mut before = 0;
    loop {
        call(&client, "Echo", &item("")).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if traces.made() == before {
            break;
        }
        before = traces.made();
    }
    assert!(traces.made() < 100, "{}", traces.made());
    let dropped = traces.dropped();
    drop(items);
    until("the stream is dropped", || traces.dropped() > dropped).await;
}

#[tokio::test]
async fn requests_that_fail_in_a_layer_cancel_the_call() {
    use rpc_runtime::middleware::{Body, Messages};
    let layer = ServiceBuilder::new().map_request(|call: Call<Outbound>| {
        call.map_body(|body| match body {
            Body::Stream(messages) => {
                let failure = stream::iter([Err(Status::data_loss("in the layer"))]);
                Body::Stream(Messages::new(messages.take(1).chain(failure)))
            }
            body => body,
        })
    });
    let (_server, client, traces) = client(|client| client.layer(layer.into_inner()));
    let items = stream::iter([amount(1), amount(2)]);
    let error = client
        .client_streaming::<Item, Item>(method("Sum"), items)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::DataLoss), "{error:?}");
    until("the handler is dropped", || traces.dropped() == traces.started()).await;
}

#[tokio::test]
async fn what_is_known_of_a_connection_passes_through_layers() {
    let (server, client, _) = client(|client| {
        client
            .reconnect(Reconnect {
                attempts: Some(1),
                ..Reconnect::default()
            })
            .layer(Identity::new())
    });
    server.kill().await;
    let refused = call(&client, "Echo", &item("")).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused(_)), "{refused:?}");
    assert!(!refused.may_have_run());
    let session = client.session::<Item, Item, _, _, ()>(method("Chat"), async |_, _| unreachable!());
    assert!(matches!(session.await.unwrap_err(), CallError::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn a_session_behind_layers_runs_again_when_its_connection_was_lost() {
    let (server, client, _) = client(|client| client.layer(Identity::new()));
    let runs = AtomicUsize::new(0);
    let (runs, server) = (&runs, &server);
    let session = client.session_with_reconnect(method("Chat"), |output, mut input| async move {
        let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
        output.send(item("a")).await?;
        let back: Option<Item> = input.message().await?;
        assert_eq!(back, Some(item("a")));
        if run == 1 {
            server.disconnect_all().await;
            input.message().await?;
        }
        Ok(run)
    });
    assert_eq!(session.await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_that_an_interceptor_sets_ends_sessions_with_layers_and_without() {
    for layered in [false, true] {
        let (_server, client, _) = client(|client| {
            let client = client.interceptor(|call: &mut Outbound| {
                call.set_timeout(Some(Duration::from_secs(2)));
                Ok(())
            });
            match layered {
                true => client.layer(Identity::new()),
                false => client,
            }
        });
        let session = client.session::<Item, Item, _, _, ()>(method("Chat"), async |_, mut input| {
            while input.message().await?.is_some() {}
            std::future::pending().await
        });
        let outcome = tokio::time::timeout(Duration::from_secs(60), session).await;
        match outcome.expect("it ends") {
            Err(CallError::TimedOut(after)) => assert_eq!(after.as_secs(), 2),
            other => panic!("{other:?}"),
        }
    }
}

/// Sends a call again while it is unavailable.
#[derive(Clone)]
struct Again(Arc<AtomicUsize>);

impl tower::retry::Policy<Call<Outbound>, Reply, CallError> for Again {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut Call<Outbound>,
        result: &mut Result<Reply, CallError>,
    ) -> Option<Self::Future> {
        let code = result.as_ref().err()?.code();
        (code == Some(Code::NotFound) && self.0.fetch_add(1, Ordering::SeqCst) < 2)
            .then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, call: &Call<Outbound>) -> Option<Call<Outbound>> {
        call.try_clone()
    }
}

#[tokio::test]
async fn towers_retry_sends_a_call_again() {
    let again = Again(Arc::default());
    let layer = tower::retry::RetryLayer::new(again.clone());
    let (_server, client, traces) = client(|client| client.layer(layer));
    let error = call(&client, "Missing", &item("")).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NotFound));
    assert_eq!((again.0.load(Ordering::SeqCst), traces.started()), (3, 3));
}
