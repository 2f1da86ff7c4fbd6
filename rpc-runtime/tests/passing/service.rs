//! A service with guarded methods of every kind, and calls of all of them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{Stream, TryStreamExt, stream};
use rpc_runtime::{
    CallError, Client, ConnectInfo, Context, Outgoing, Server, ServerBuilder, Status, Streaming,
    codegen::{Gateway, MethodDescriptor},
    contract,
    middleware::Next,
    rpc,
};
use tower_layer::Layer;

#[contract(package = "passing", detached)]
#[derive(Eq)]
pub struct Item {
    #[field(max_len = 20)]
    pub text: String,
}

pub fn item(text: &str) -> Item {
    Item {
        text: text.to_owned(),
    }
}

/// So long that it breaks the contract's rule.
pub fn broken() -> Item {
    item(&"x".repeat(21))
}

#[derive(Default)]
pub struct GuardedGateway {
    /// How many handlers were begun.
    pub begun: Arc<AtomicUsize>,
    /// What handlers have read of streams.
    pub read: Arc<AtomicUsize>,
}

impl GuardedGateway {
    fn begin(&self) {
        self.begun.fetch_add(1, Ordering::SeqCst);
    }
}

#[rpc("passing", detached, guard = "first")]
impl GuardedGateway {
    #[message(guard = "second")]
    async fn echo(&self, data: Item) -> Result<Item, Status> {
        self.begin();
        Ok(data)
    }

    #[message(guard = "second", spawn)]
    async fn echo_apart(&self, data: Item) -> Result<Item, Status> {
        self.echo(data).await
    }

    #[message(guard = "second", one_way)]
    async fn tell(&self, data: Item) -> Result<(), Status> {
        self.begin();
        drop(data);
        Ok(())
    }

    #[message(guard = "second")]
    async fn repeat(&self, data: Item) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        self.begin();
        Ok(stream::iter([Ok(data.clone()), Ok(data)]))
    }

    #[message(guard = "second")]
    async fn join(&self, mut items: Streaming<Item>) -> Result<Item, Status> {
        self.begin();
        let mut texts = Vec::new();
        while let Some(item) = items.message().await? {
            self.read.fetch_add(1, Ordering::SeqCst);
            texts.push(item.text);
        }
        Ok(item(&texts.join("+")))
    }

    #[message(guard = "second")]
    async fn relay(
        &self,
        items: Streaming<Item>,
    ) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        self.begin();
        Ok(items.inspect_ok(|_| {
            self.read.fetch_add(1, Ordering::SeqCst);
        }))
    }

    #[message(guard = "second")]
    async fn chat(&self, mut input: Streaming<Item>, output: Outgoing<Item>) -> Result<(), Status> {
        self.begin();
        while let Some(item) = input.message().await? {
            self.read.fetch_add(1, Ordering::SeqCst);
            output.send(item).await?;
        }
        Ok(())
    }
}

/// Every method that answers.
pub const METHODS: [&str; 6] = ["Echo", "EchoApart", "Repeat", "Join", "Relay", "Chat"];
/// Those of them that take a stream.
pub const STREAMS: [&str; 3] = ["Join", "Relay", "Chat"];

pub fn method(name: &str) -> &'static MethodDescriptor {
    let methods = GuardedGateway::descriptor().methods;
    methods
        .iter()
        .find(|method| method.name == name)
        .unwrap_or_else(|| panic!("no method {name}"))
}

/// A layer that does nothing: calls go through layers with it.
#[derive(Clone, Copy)]
pub struct Nothing;

impl Layer<Next> for Nothing {
    type Service = Next;

    fn layer(&self, next: Next) -> Next {
        next
    }
}

pub struct Served {
    pub server: Server,
    pub client: Client,
    begun: Arc<AtomicUsize>,
    read: Arc<AtomicUsize>,
}

impl Served {
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub fn read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }

    /// One more client.
    pub fn client(&self, info: ConnectInfo) -> Client {
        connect(&self.server, info)
    }
}

fn connect(server: &Server, info: ConnectInfo) -> Client {
    let (near, far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(server.serve_connection(far, info));
    Client::from_io(near)
}

pub fn serve(configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Served {
    let gateway = GuardedGateway::default();
    let (begun, read) = (gateway.begun.clone(), gateway.read.clone());
    let server = configure(Server::builder().service(gateway))
        .build()
        .expect("starts");
    Served {
        client: connect(&server, ConnectInfo::new()),
        server,
        begun,
        read,
    }
}

/// Calls a method with these items, of which one that takes one message takes the first: what it answers.
pub async fn call(
    client: &Client,
    name: &str,
    password: &str,
    items: Vec<Item>,
) -> Result<Vec<Item>, CallError> {
    let method = method(name);
    let first = items.first().cloned().unwrap_or_default();
    let key = "password";
    match name {
        "Echo" | "EchoApart" => {
            let call = client.unary(method, &first).metadata(key, password);
            Ok(vec![call.await?])
        }
        "Repeat" => {
            let call = client.server_streaming::<Item>(method, &first);
            collect(call.metadata(key, password).await?).await
        }
        "Join" => {
            let call = client.client_streaming::<Item, Item>(method, stream::iter(items));
            Ok(vec![call.metadata(key, password).await?])
        }
        "Relay" => {
            let call = client.bidirectional::<Item, Item>(method, stream::iter(items));
            collect(call.metadata(key, password).await?).await
        }
        "Chat" => {
            let call = client.session(method, async move |output, mut input: Streaming<Item>| {
                let mut answers = Vec::new();
                for item in &items {
                    output.send(item.clone()).await?;
                    match input.message().await? {
                        Some(answer) => answers.push(answer),
                        None => break,
                    }
                }
                drop(output);
                while let Some(answer) = input.message().await? {
                    answers.push(answer);
                }
                Ok(answers)
            });
            call.metadata(key, password).await
        }
        other => panic!("no method {other}"),
    }
}

async fn collect(items: Streaming<Item>) -> Result<Vec<Item>, CallError> {
    Ok(items.try_collect().await?)
}

/// What a method answers to these items.
pub fn answer(name: &str, items: &[Item]) -> Vec<Item> {
    match name {
        "Echo" | "EchoApart" => items[..1].to_vec(),
        "Repeat" => vec![items[0].clone(), items[0].clone()],
        "Join" => {
            let texts: Vec<_> = items.iter().map(|item| &*item.text).collect();
            vec![item(&texts.join("+"))]
        }
        _ => items.to_vec(),
    }
}

/// Asks what one guard answers, at once.
pub fn allow(_: &Context) -> Result<(), Status> {
    Ok(())
}
