//! A service of all four kinds of calls, and clients whose calls go on over a lost connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{
    Client, ClientBuilder, ClientLimits, Context, Limits, Server, Status, Streaming,
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
    testing::{self, TestServer},
};
use tokio::sync::Notify;

use crate::{peer::settle, support::limits};

/// What both sides keep.
pub const KEPT: usize = 1 << 20;

#[contract(package = "line", detached)]
pub struct Item {
    pub number: u64,
    pub padding: rpc_runtime::bytes::Bytes,
}

pub fn item(number: u64) -> Item {
    Item {
        number,
        ..Item::default()
    }
}

#[derive(Clone, Default)]
pub struct Line {
    /// How many calls have begun.
    pub begun: Arc<AtomicUsize>,
    /// How many items of streams were made.
    pub produced: Arc<AtomicU64>,
    pub release: Arc<Notify>,
    /// How many calls wait for that.
    pub waiting: Arc<AtomicUsize>,
}

impl Line {
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

/// Counts a handler for as long as it lives.
struct Here(Arc<AtomicUsize>);

impl Here {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[rpc("line", detached)]
impl Line {
    /// Counts up to a number, one a millisecond.
    #[message("Item", method = "Count")]
    async fn count(&self, data: Item) -> Result<impl Stream<Item = Result<Item, Status>> + use<>, Status> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let (produced, padding) = (self.produced.clone(), data.padding);
        Ok(stream::iter(0..data.number).then(move |number| {
            let (produced, padding) = (produced.clone(), padding.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                produced.fetch_add(1, Ordering::SeqCst);
                Ok(Item { number, padding })
            }
        }))
    }

    /// Answers how many came, where each was one more than the one before.
    #[message("Item", method = "Take")]
    async fn take(&self, mut items: Streaming<Item>) -> Result<Item, Status> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let mut next = 0;
        while let Some(item) = items.next().await {
            let number = item?.number;
            if number != next {
                return Err(Status::invalid_argument(format!("{number} in place of {next}")));
            }
            next += 1;
        }
        Ok(item(next))
    }

    /// Gives back what comes.
    #[message("Item", method = "Echo")]
    async fn echo(
        &self,
        items: Streaming<Item>,
    ) -> Result<impl Stream<Item = Result<Item, Status>> + use<>, Status> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        Ok(items)
    }

    /// Gives it back at once.
    #[message("Item", method = "Give")]
    async fn give(&self, data: Item) -> Result<Item, Status> {
        Ok(data)
    }

    /// Gives it back when it is told to.
    #[message("Item", method = "Hold")]
    async fn hold(&self, data: Item) -> Result<Item, Status> {
        let _here = Here::new(&self.waiting);
        self.release.notified().await;
        Ok(data)
    }

    /// Answers when it is told to.
    #[message("Item", method = "Wait")]
    async fn wait(&self, _cx: &Context) -> Result<Item, Status> {
        let _here = Here::new(&self.waiting);
        let number = self.begun.fetch_add(1, Ordering::SeqCst) as u64;
        self.release.notified().await;
        Ok(item(number))
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = Line::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .expect("is there")
}

pub fn serve(limits: Limits) -> (Line, TestServer) {
    let line = Line::default();
    let server = Server::builder().service(line.clone()).limits(limits);
    (line, testing::serve(server.build().unwrap()))
}

/// A server that keeps frames of calls.
pub fn replaying() -> Limits {
    Limits {
        replay_bytes: KEPT,
        ..limits()
    }
}

/// A client that keeps them as well.
pub trait Keeping {
    fn keeping(self) -> Self;
}

impl Keeping for ClientBuilder {
    fn keeping(self) -> Self {
        self.limits(ClientLimits {
            replay_bytes: KEPT,
            ..ClientLimits::default()
        })
    }
}

pub async fn connect(server: &TestServer) -> Client {
    let client = server.builder().keeping().lazy().unwrap();
    client.ready().await.unwrap();
    client.greeted().await.unwrap();
    settle().await;
    client
}

/// The numbers of a stream that does not fail.
pub async fn numbers(mut items: Streaming<Item>) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(item) = items.next().await {
        numbers.push(item.expect("goes on").number);
    }
    numbers
}
