//! Interceptors on the server.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rpc_runtime::{Code, Context, Status, middleware::Interceptor};

use crate::{
    kinds,
    service::{Left, call, item, pair},
};

#[tokio::test]
async fn what_an_interceptor_leaves_reaches_the_handler_of_every_kind() {
    let (client, _) = pair(|server| {
        server.interceptor(|cx: &mut Context| {
            cx.extensions_mut().insert(Left("left".into()));
            Ok(())
        })
    });
    kinds::check(&client, |_| "left".to_owned()).await;
}

/// Lets those in that know the word.
struct Password(Arc<AtomicUsize>);

impl Interceptor for Password {
    fn intercept(&self, cx: &mut Context) -> Result<(), Status> {
        self.0.fetch_add(1, Ordering::SeqCst);
        cx.set_trailer("asked", cx.method().name);
        match cx.metadata().get("password") {
            Some("sesame") => {
                cx.metadata_mut().remove("password");
                Ok(())
            }
            _ => Err(Status::unauthenticated(format!(
                "{} is not for everyone",
                cx.method().name
            ))),
        }
    }
}

#[tokio::test]
async fn an_interceptor_refuses_before_the_body_is_decoded() {
    let asked = Arc::new(AtomicUsize::new(0));
    let later = Arc::new(AtomicUsize::new(0));
    let seen = later.clone();
    let (client, traces) = pair(|server| {
        server
            .interceptor(Password(asked.clone()))
            .interceptor(move |cx: &mut Context| {
                assert!(!cx.metadata().contains("password"));
                seen.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
    });
    // It would be refused as an invalid argument, had it been decoded.
    let broken = item(&"x".repeat(21));
    let error = call(&client, "Echo", &broken).await.unwrap_err();
    let status = error.status().unwrap();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unauthenticated, "Echo is not for everyone")
    );
    assert_eq!(status.metadata().get("asked"), Some("Echo"));
    assert_eq!((traces.started(), later.load(Ordering::SeqCst)), (0, 0));
    let reply = call(&client, "Echo", &item(""))
        .metadata("password", "sesame")
        .with_metadata()
        .await
        .unwrap();
    assert_eq!(reply.trailers.get("asked"), Some("Echo"));
    assert_eq!(
        (asked.load(Ordering::SeqCst), later.load(Ordering::SeqCst)),
        (2, 1)
    );
}

#[tokio::test]
async fn an_interceptor_that_panics_ends_its_call_and_nothing_else() {
    let (client, _) = pair(|server| {
        server.interceptor(|cx: &mut Context| {
            assert!(!cx.metadata().contains("panic"), "as asked");
            Ok(())
        })
    });
    let error = call(&client, "Echo", &item(""))
        .metadata("panic", "now")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::Internal));
    call(&client, "Echo", &item("")).await.unwrap();
}
