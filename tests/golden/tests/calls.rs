//! The generated gateways and clients, called over a connection in memory.

use futures_util::stream;
use golden::clock::{ClockGateway, NowRequest};
use golden::clock_client::ClockClient;
use golden::contracts::task::TasksContract;
use golden::contracts::ticker::{Quote, QuoteRequest, Summary, Ticker};
use golden::task::{TaskClient, TaskGateway, TaskService};
use golden::ticker::{TickerClient, TickerGateway};
use rpc_runtime::{Client, Code, ConnectInfo, Context, Outgoing, Server, Status, Streaming};
use shared::Money;
use std::collections::BTreeMap;
use std::sync::Mutex;

#[derive(Default)]
struct Tasks(Mutex<BTreeMap<String, TasksContract>>);

impl Tasks {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, TasksContract>) -> T) -> T {
        act(&mut self.0.lock().expect("no holder panics"))
    }
}

impl TaskService for Tasks {
    async fn add(&self, _: &Context, mut item: TasksContract) -> Result<TasksContract, Status> {
        assert_eq!(item.id, "", "a client's id never reaches the service");
        self.with(|tasks| {
            item.id = format!("t{}", tasks.len());
            tasks.insert(item.id.clone(), item.clone());
            Ok(item)
        })
    }

    async fn update(&self, _: &Context, id: String, item: TasksContract) -> Result<TasksContract, Status> {
        assert_eq!(item.id, id, "the request's id wins");
        self.with(|tasks| match tasks.get_mut(&id) {
            Some(stored) => {
                *stored = item;
                Ok(stored.clone())
            }
            None => Err(Status::not_found("no such task")),
        })
    }

    async fn delete(&self, _: &Context, id: String) -> Result<bool, Status> {
        Ok(self.with(|tasks| tasks.remove(&id).is_some()))
    }

    async fn get_all(&self, _: &Context) -> Result<Vec<TasksContract>, Status> {
        Ok(self.with(|tasks| tasks.values().cloned().collect()))
    }
}

struct Prices;

impl Ticker for Prices {
    async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status> {
        assert!(cx.remaining().is_some(), "the method has a deadline");
        let price = Money {
            currency: "EUR".into(),
            amount: 42,
        };
        Ok(Quote {
            symbol: request.symbol,
            price,
            todo: None,
        })
    }

    async fn watch(
        &self,
        _: &Context,
        _: QuoteRequest,
    ) -> Result<impl stream::Stream<Item = Result<Quote, Status>>, Status> {
        Ok(stream::empty())
    }

    async fn record(&self, _: &Context, _: Streaming<Quote>) -> Result<Summary, Status> {
        Ok(Summary::default())
    }

    async fn trade(
        &self,
        _: &Context,
        _: Streaming<QuoteRequest>,
    ) -> Result<impl stream::Stream<Item = Result<Quote, Status>>, Status> {
        Ok(stream::empty())
    }

    async fn session(
        &self,
        _: &Context,
        _: Streaming<QuoteRequest>,
        _: Outgoing<Quote>,
    ) -> Result<(), Status> {
        Ok(())
    }

    async fn ping(&self) -> Result<(), Status> {
        Ok(())
    }

    async fn length(&self, text: String) -> Result<u64, Status> {
        Ok(text.chars().count() as u64)
    }
}

/// A client of a server with all three services.
fn connect() -> Client {
    let server = Server::builder()
        .service(TaskGateway::new(Tasks::default()))
        .service(TickerGateway::new(Prices))
        .service(ClockGateway::<()>::default())
        .build()
        .expect("the server is put together rightly");
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    Client::from_io(near)
}

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
