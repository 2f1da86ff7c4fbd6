//! A service with methods of every kind.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{
    Client, ClientBuilder, ConnectInfo, Context, Outgoing, Server, ServerBuilder, Status, Streaming,
    UnaryCall,
    codegen::{Gateway, MethodDescriptor},
    contract, rpc,
    testing::{self, TestServer},
};

#[contract(package = "kinds", detached)]
pub struct Item {
    #[field(max_len = 20)]
    pub text: String,
    pub amount: u64,
}

pub fn item(text: &str) -> Item {
    Item {
        text: text.to_owned(),
        amount: 0,
    }
}

pub fn amount(amount: u64) -> Item {
    Item {
        text: String::new(),
        amount,
    }
}

/// What a layer or an interceptor leaves for the handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left(pub String);

/// What handlers leave behind for tests to look at.
#[derive(Debug, Default)]
pub struct Traces {
    pub started: AtomicUsize,
    pub dropped: AtomicUsize,
    /// Items that a stream has made.
    pub made: AtomicUsize,
    /// Sessions that have ended in order after their client had gone.
    pub parted: AtomicUsize,
}

impl Traces {
    pub fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    pub fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    pub fn parted(&self) -> usize {
        self.parted.load(Ordering::SeqCst)
    }

    fn begin(self: &Arc<Self>) -> Begun {
        self.started.fetch_add(1, Ordering::SeqCst);
        Begun(self.clone())
    }
}

/// Counts when it is dropped.
struct Begun(Arc<Traces>);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
        tracing::info!("dropped");
    }
}

#[derive(Default)]
pub struct KindsGateway {
    pub traces: Arc<Traces>,
}

#[rpc("kinds", detached)]
impl KindsGateway {
    /// Answers what it was asked, with what was left for it, metadata and trailers.
    #[message]
    async fn echo(&self, cx: &Context, data: Item) -> Result<Item, Status> {
        let _begun = self.traces.begin();
        tracing::info!("echoing");
        cx.set_metadata("ahead", "of it");
        cx.set_trailer("behind", "it");
        let left = cx.extensions().get::<Left>();
        Ok(Item {
            text: left.map_or(data.text, |left| left.0.clone()),
            amount: data.amount,
        })
    }

    /// Answers what metadata it was sent under a key.
    #[message]
    async fn tell(&self, cx: &Context, data: Item) -> Result<Item, Status> {
        Ok(item(cx.metadata().get(&data.text).unwrap_or_default()))
    }

    /// Answers after as many milliseconds as it is asked to wait.
    #[message]
    async fn delay(&self, data: Item) -> Result<Item, Status> {
        let _begun = self.traces.begin();
        tokio::time::sleep(Duration::from_millis(data.amount)).await;
        tracing::info!("waited");
        Ok(data)
    }

    /// The same on a task of its own.
    #[message(spawn)]
    async fn delay_apart(&self, data: Item) -> Result<Item, Status> {
        self.delay(data).await
    }

    #[message]
    async fn missing(&self, data: Item) -> Result<Item, Status> {
        let _begun = self.traces.begin();
        Err(Status::not_found("no such item")
            .with_detail(&data)
            .retry_after(Duration::from_secs(3)))
    }

    /// Gives as many items as it is asked for.
    #[message]
    async fn count(
        &self,
        cx: &Context,
        data: Item,
    ) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        let begun = self.traces.begin();
        cx.set_metadata("ahead", "of it");
        Ok(stream::iter(0..data.amount).map(move |at| {
            begun.0.made.fetch_add(1, Ordering::SeqCst);
            if at + 1 == data.amount {
                cx.set_trailer("behind", "it");
            }
            tracing::info!(at, "counting");
            Ok(amount(at))
        }))
    }

    /// Gives an item of 16 KiB after the other, for ever.
    #[message]
    async fn flood(&self) -> Result<impl Stream<Item = Result<String, Status>>, Status> {
        let begun = self.traces.begin();
        Ok(stream::repeat_with(move || {
            begun.0.made.fetch_add(1, Ordering::SeqCst);
            Ok("x".repeat(16 << 10))
        }))
    }

    #[message]
    async fn sum(&self, cx: &Context, mut items: Streaming<Item>) -> Result<Item, Status> {
        let _begun = self.traces.begin();
        let mut sum = 0;
        while let Some(item) = items.message().await? {
            sum += item.amount;
        }
        cx.set_trailer("behind", "it");
        Ok(amount(sum))
    }

    #[message]
    async fn relay(
        &self,
        cx: &Context,
        items: Streaming<Item>,
    ) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        let begun = self.traces.begin();
        let left = cx.extensions().get::<Left>();
        Ok(items.map(move |item| {
            let _ = &begun;
            item.map(|item| Item {
                text: left.map_or(item.text, |left| left.0.clone()),
                amount: item.amount,
            })
        }))
    }

    /// Waits for nothing but that its client has gone, on a task of its own.
    #[message(spawn)]
    async fn part_apart(&self, input: Streaming<Item>, output: Outgoing<Item>) -> Result<(), Status> {
        let _begun = self.traces.begin();
        output.closed().await;
        self.traces.parted.fetch_add(1, Ordering::SeqCst);
        drop(input);
        Ok(())
    }

    /// Goes on for a while when its client has gone.
    #[message]
    async fn part(&self, mut input: Streaming<Item>, output: Outgoing<Item>) -> Result<(), Status> {
        let _begun = self.traces.begin();
        while let Ok(Some(_)) = input.message().await {}
        output.closed().await;
        assert!(output.send(item("nobody is there")).await.is_err());
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.traces.parted.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Sends back what it is sent, and a last word.
    #[message]
    async fn chat(
        &self,
        cx: &Context,
        mut input: Streaming<Item>,
        output: Outgoing<Item>,
    ) -> Result<(), Status> {
        let _begun = self.traces.begin();
        cx.set_metadata("ahead", "of it");
        while let Some(item) = input.message().await? {
            output.send(item).await?;
        }
        output.send(item("bye")).await?;
        cx.set_trailer("behind", "it");
        Ok(())
    }
}

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = KindsGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

/// A server with what `configure` adds, a client of it, and what handlers leave behind.
pub fn pair(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> (Client, Arc<Traces>) {
    let gateway = KindsGateway::default();
    let traces = gateway.traces.clone();
    let server = configure(Server::builder().service(gateway))
        .build()
        .expect("starts");
    (connect(&server), traces)
}

/// A client with what `configure` adds, of a server without anything, and what its handlers leave behind.
pub fn client(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> (TestServer, Client, Arc<Traces>) {
    let gateway = KindsGateway::default();
    let traces = gateway.traces.clone();
    let server = testing::serve(Server::builder().service(gateway).build().expect("starts"));
    let client = configure(server.builder()).lazy().expect("is put together");
    (server, client, traces)
}

/// One more client of a server.
pub fn connect(server: &Server) -> Client {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, ConnectInfo::new()));
    Client::from_io(near)
}

pub fn call(client: &Client, name: &str, request: &Item) -> UnaryCall<Item> {
    client.unary(method(name), request)
}

/// Waits until something holds.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}
