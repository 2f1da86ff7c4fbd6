//! Guards that look at requests.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rpc_runtime::{Code, Context, RequestGuard, Status};

use crate::service::{Item, METHODS, Nothing, STREAMS, Served, allow, answer, broken, call, item, serve};

/// For requests of a type that no method takes.
pub struct Anything;

impl RequestGuard<u64> for Anything {
    async fn check(&self, _: &Context, _: &u64) -> Result<(), Status> {
        Ok(())
    }
}

/// Refuses what says so.
struct Own {
    asked: Arc<AtomicUsize>,
}

impl RequestGuard<Item> for Own {
    async fn check(&self, cx: &Context, request: &Item) -> Result<(), Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        // Some wait, some do not.
        if request.text.len() > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        match &*request.text {
            "others'" => Err(Status::permission_denied(format!(
                "{} is not for what is others'",
                cx.method().name
            ))),
            "panic" => panic!("as asked"),
            _ => Ok(()),
        }
    }
}

fn guarded(layered: bool) -> (Served, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let own = Own { asked: asked.clone() };
    let served = serve(|server| {
        let server = server
            .guard("first", allow)
            .request_guard("second", own)
            .request_guard("second", Anything);
        if layered { server.layer(Nothing) } else { server }
    });
    (served, asked)
}

#[tokio::test(start_paused = true)]
async fn guards_look_at_the_request_of_every_kind_of_call_and_at_each_message_of_a_stream() {
    for layered in [false, true] {
        let (served, asked) = guarded(layered);
        for name in METHODS {
            let before = asked.load(Ordering::SeqCst);
            let items = vec![item("a"), item("bb"), item("c")];
            let answered = call(&served.client, name, "", items.clone()).await.unwrap();
            assert_eq!(answered, answer(name, &items), "{name}");
            let messages = if STREAMS.contains(&name) { 3 } else { 1 };
            assert_eq!(asked.load(Ordering::SeqCst) - before, messages, "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_does_not_come_to_its_handler() {
    for layered in [false, true] {
        let (served, _) = guarded(layered);
        for name in METHODS {
            let (begun, read) = (served.begun(), served.read());
            let items = vec![item("a"), item("others'"), item("c")];
            // A method that takes one message takes the second alone.
            let items = if STREAMS.contains(&name) {
                items
            } else {
                items[1..].to_vec()
            };
            let error = call(&served.client, name, "", items).await.unwrap_err();
            let status = error.status().unwrap();
            assert_eq!(
                (status.code(), status.message()),
                (
                    Code::PermissionDenied,
                    &*format!("{name} is not for what is others'")
                )
            );
            if STREAMS.contains(&name) {
                assert_eq!(served.read() - read, 1, "{name}: only the first was let pass");
            } else {
                assert_eq!(served.begun(), begun, "{name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_breaks_its_contract_is_not_shown_to_guards() {
    let (served, asked) = guarded(false);
    for name in METHODS {
        let error = call(&served.client, name, "", vec![broken()]).await.unwrap_err();
        assert_eq!(error.code(), Some(Code::InvalidArgument), "{name}");
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_over_a_request_ends_its_call_and_nothing_else() {
    let (served, _) = guarded(false);
    for name in METHODS {
        let error = call(&served.client, name, "", vec![item("panic")])
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(Code::Internal), "{name}");
    }
    call(&served.client, "Echo", "", vec![item("a")]).await.unwrap();
    assert_eq!(served.server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_name_may_stand_for_a_guard_and_for_one_that_looks_at_requests_and_both_are_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let own = Own { asked: asked.clone() };
    let served = serve(|server| {
        server
            .guard("first", |cx: &Context| match cx.metadata().get("password") {
                Some("sesame") => Ok(()),
                _ => Err(Status::permission_denied("no entry")),
            })
            .request_guard("first", own)
            .guard("second", allow)
    });
    let error = call(&served.client, "Echo", "wrong", vec![item("a")])
        .await
        .unwrap_err();
    assert_eq!(error.status().unwrap().message(), "no entry");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let error = call(&served.client, "Echo", "sesame", vec![item("others'")])
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(Code::PermissionDenied));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
