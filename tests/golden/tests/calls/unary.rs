//! Calls of one message each way.

use crate::services::connect;
use golden::clock::NowRequest;
use golden::clock_client::ClockClient;
use golden::contracts::task::TasksContract;
use golden::contracts::ticker::QuoteRequest;
use golden::task::TaskClient;
use golden::ticker::TickerClient;
use rpc_runtime::Code;

#[tokio::test]
async fn a_crud_client_adds_updates_deletes_and_lists() {
    let tasks = TaskClient::new(connect());
    let sent = TasksContract {
        label: "Buy milk".into(),
        id: "mine".into(),
        ..Default::default()
    };
    let milk = tasks.add(sent).await.expect("added");
    assert_eq!((milk.id.as_str(), milk.label.as_str()), ("t0", "Buy milk"));
    let checked = TasksContract {
        checked: true,
        id: "another".into(),
        ..milk.clone()
    };
    let checked = tasks.update(milk.id.clone(), checked).await.expect("updated");
    assert!(checked.checked && checked.id == milk.id);
    assert_eq!(tasks.get_all().await.expect("listed"), [checked]);
    assert!(tasks.delete(milk.id.clone()).await.expect("deleted"));
    assert!(
        !tasks
            .delete(milk.id)
            .await
            .expect("there is none, which is no error")
    );
}

#[tokio::test]
async fn the_rules_of_a_contract_hold_before_the_service_is_called() {
    let tasks = TaskClient::new(connect());
    let error = tasks
        .add(TasksContract {
            label: "x".repeat(201),
            ..Default::default()
        })
        .await
        .expect_err("too long");
    assert_eq!(error.code(), Some(Code::InvalidArgument));
    assert!(error.to_string().contains("item.label"), "{error}");
}

#[tokio::test]
async fn a_trait_is_called_with_messages_of_other_crates_and_with_scalars() {
    let ticker = TickerClient::new(connect());
    let quote = ticker
        .quote(QuoteRequest {
            symbol: "ACME".into(),
            ..Default::default()
        })
        .await
        .expect("a quote");
    assert_eq!((quote.symbol.as_str(), quote.price.amount), ("ACME", 42));
    ticker.ping().await.expect("pong");
    assert_eq!(ticker.length("größer".into()).await.expect("a length"), 6);
}

#[tokio::test]
async fn a_hand_written_gateway_is_served_and_called_like_a_generated_one() {
    let clock = ClockClient::new(connect());
    assert_eq!(clock.now(NowRequest { offset: 2 }).await.expect("now").offset, 2);
    assert_eq!(
        clock
            .offset(NowRequest { offset: 3 })
            .await
            .expect("offset")
            .offset,
        3
    );
    assert!(clock.tick().await.expect("tick").now > std::time::SystemTime::UNIX_EPOCH);
}
