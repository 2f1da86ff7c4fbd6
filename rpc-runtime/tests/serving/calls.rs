//! What comes of calls.

use std::time::Duration;

use rpc_runtime::{CallError, Code, Limits};

use crate::probe::{Order, call, order, pair, until};

fn status(result: Result<Order, CallError>) -> (Code, String) {
    match result {
        Err(CallError::Status(status)) => (status.code(), status.message().to_owned()),
        other => panic!("not a status: {other:?}"),
    }
}

#[tokio::test]
async fn a_call_is_answered() {
    let (_server, client, _) = pair(Limits::default());
    let answer = call(&client, "Echo", &order("milk")).await.unwrap();
    assert_eq!(answer, order("milk"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_internal_with_the_call_id_and_neither_siblings_nor_connection_suffer()
{
    let (_server, client, traces) = pair(Limits::default());
    let waiting = tokio::spawn(call(&client, "Wait", &order("sibling")).into_future());
    until("the sibling runs", || traces.started() == 1).await;
    for (name, amount) in [("Panic", 0), ("Panic", 5), ("PanicApart", 0), ("PanicApart", 5)] {
        let request = Order {
            amount,
            ..order("handler")
        };
        let (code, message) = status(call(&client, name, &request).await);
        assert_eq!(code, Code::Internal);
        assert!(
            message.starts_with("internal error, logged under call "),
            "{message}"
        );
        assert!(!message.contains("secret"), "{message}");
    }
    traces.release.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap(), order("sibling"));
    let _ = Duration::ZERO;
}
