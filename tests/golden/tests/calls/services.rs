//! Services behind the generated gateways, on a server in memory.

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use golden::clock::ClockGateway;
use golden::contracts::task::TasksContract;
use golden::contracts::ticker::{Numbers, Quote, QuoteRequest, Summary, Ticker};
use golden::task::{TaskGateway, TaskService};
use golden::ticker::{NumbersGateway, TickerGateway};
use rpc_runtime::bytes::Bytes;
use rpc_runtime::{Client, ConnectInfo, Context, Outgoing, Server, Status, Streaming};
use shared::Money;
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

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

struct Prices {
    amounts: [i64; 3],
    remarks: UnboundedSender<String>,
}

fn priced(symbol: String, amount: i64) -> Quote {
    let price = Money {
        currency: "EUR".into(),
        amount,
    };
    Quote {
        symbol,
        price,
        todo: None,
    }
}

impl Ticker for Prices {
    async fn quote(&self, cx: &Context, request: QuoteRequest) -> Result<Quote, Status> {
        assert!(cx.remaining().is_some(), "the method has a deadline");
        Ok(priced(request.symbol, 42))
    }

    /// What it gives borrows the service and the context.
    async fn watch(
        &self,
        cx: &Context,
        request: QuoteRequest,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        let symbol = request.symbol;
        Ok(stream::iter(self.amounts).map(move |amount| {
            let method = cx.method().name;
            Ok(priced(format!("{symbol} of {method}"), amount))
        }))
    }

    async fn record(&self, _: &Context, mut quotes: Streaming<Quote>) -> Result<Summary, Status> {
        let mut count = 0;
        while let Some(quote) = quotes.message().await? {
            if quote.symbol.is_empty() {
                return Err(Status::out_of_range(format!("quote {count} has no symbol")));
            }
            count += 1;
        }
        Ok(Summary { count })
    }

    /// What it gives borrows the service and what it reads.
    async fn trade(
        &self,
        _: &Context,
        orders: Streaming<QuoteRequest>,
    ) -> Result<impl Stream<Item = Result<Quote, Status>>, Status> {
        let amounts = stream::iter(self.amounts).map(Ok);
        Ok(orders
            .zip(amounts)
            .map(|(order, amount): (_, Result<i64, Status>)| Ok(priced(order?.symbol, amount?))))
    }

    async fn session(
        &self,
        _: &Context,
        mut input: Streaming<QuoteRequest>,
        output: Outgoing<Quote>,
    ) -> Result<(), Status> {
        output.send(priced("HELLO".into(), 0)).await?;
        while let Some(request) = input.message().await? {
            output.send(priced(request.symbol, 1)).await?;
        }
        Err(Status::aborted("the market closes"))
    }

    async fn ping(&self) -> Result<(), Status> {
        Ok(())
    }

    async fn length(&self, text: String) -> Result<u64, Status> {
        Ok(text.chars().count() as u64)
    }

    async fn remark(&self, text: String) -> Result<(), Status> {
        self.remarks.send(text).map_err(Status::internal_from)
    }
}

struct Arithmetic;

impl Numbers for Arithmetic {
    async fn count(&self, from: u32) -> Result<impl Stream<Item = Result<u32, Status>>, Status> {
        if from == 0 {
            return Err(Status::invalid_argument("there is nothing to count"));
        }
        Ok(stream::iter((1..=from).rev().map(Ok)))
    }

    async fn join(&self, words: Streaming<String>) -> Result<String, Status> {
        let words: Vec<String> = words.try_collect().await?;
        Ok(words.join(" "))
    }

    async fn check(
        &self,
        parts: Streaming<Bytes>,
        _: &Context,
    ) -> Result<impl Stream<Item = Result<bool, Status>>, Status> {
        Ok(parts.map_ok(|part| part.is_empty()))
    }

    async fn halve(&self, mut input: Streaming<i64>, output: Outgoing<f64>) -> Result<(), Status> {
        while let Some(number) = input.message().await? {
            output.send(number as f64 / 2.0).await?;
        }
        Ok(())
    }

    async fn beat(&self) -> Result<impl Stream<Item = Result<(), Status>>, Status> {
        Ok(stream::iter([Ok(()), Ok(())]))
    }
}

/// A client of a server with all services.
pub fn connect() -> Client {
    connect_with_remarks().0
}

/// The same, and what is remarked there.
pub fn connect_with_remarks() -> (Client, UnboundedReceiver<String>) {
    let (remarks, remarked) = unbounded_channel();
    let prices = Prices {
        amounts: [1, 2, 3],
        remarks,
    };
    let server = Server::builder()
        .service(TaskGateway::new(Tasks::default()))
        .service(TickerGateway::new(prices))
        .service(NumbersGateway::new(Arithmetic))
        .service(ClockGateway::<()>::default())
        .build()
        .expect("the server is put together rightly");
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    (Client::from_io(near), remarked)
}
