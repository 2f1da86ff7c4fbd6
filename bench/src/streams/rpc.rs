//! This project's streams: the server of a generated gateway, and the generated client, both as they come.

use super::items::{self, Check, Flow, Items, Numbered};
use super::load::{StreamClient, run_with_tasks};
use super::shape::Direction;
use crate::contracts::{Flow as FlowService, Item, Start, Summary};
use crate::fairness::MixedClient;
use crate::peers::text;
use crate::{FlowClient, FlowGateway};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use rpc_runtime::{Server, Status, Streaming};
use std::future::pending;
use std::net::SocketAddr;
use tokio::net::TcpListener;

impl Numbered for Item {
    fn new(number: u64, payload: Bytes) -> Self {
        Self { number, payload }
    }

    fn number(&self) -> u64 {
        self.number
    }

    fn payload(&self) -> usize {
        self.payload.len()
    }
}

struct Flows;

impl FlowService for Flows {
    async fn down(&self, start: Start) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        let mut items = Items::new(start.payload, start.items);
        Ok(stream::iter(std::iter::from_fn(move || items.take().map(Ok))))
    }

    async fn up(&self, mut items: Streaming<Item>) -> Result<Summary, Status> {
        let mut check = None;
        while let Some(item) = items.message().await? {
            check
                .get_or_insert_with(|| Check::new(item.payload.len()))
                .take(&item)
                .map_err(Status::internal)?;
        }
        let items = check.map_or(0, |check| check.items);
        Ok(Summary { items })
    }

    async fn echo(&self, items: Streaming<Item>) -> Result<impl Stream<Item = Result<Item, Status>>, Status> {
        Ok(items)
    }

    async fn ping(&self, item: Item) -> Result<Item, Status> {
        Ok(item)
    }
}

/// Serves the project's protocol.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    let server = Server::builder()
        .service(FlowGateway::new(Flows))
        .server_limits(crate::peers::rpc::limits())
        .build()
        .map_err(text)?;
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}

async fn connect(addr: SocketAddr) -> Result<RpcClient, String> {
    FlowClient::connect(&format!("ws://{addr}/rpc"))
        .await
        .map(RpcClient)
        .map_err(text)
}

async fn run(client: FlowClient, flow: Flow) -> Result<(), String> {
    let payload = flow.shape.payload;
    let mut items = match flow.shape.direction {
        Direction::Up => {
            let summary = client.up(stream::iter(flow.items(true))).await.map_err(text)?;
            return flow.check_summary(summary.items);
        }
        Direction::Down => {
            let start = Start {
                payload: payload as u64,
                items: 0,
            };
            client.down(start).await.map_err(text)?
        }
        Direction::Echo => client.echo(stream::iter(flow.items(false))).await.map_err(text)?,
    };
    let mut check = Check::new(payload);
    while let Some(item) = items.message().await.map_err(text)? {
        check.take(&item)?;
        flow.count(check.items);
    }
    Ok(())
}

/// One connection.
#[derive(Clone)]
pub(crate) struct RpcClient(FlowClient);

impl StreamClient for RpcClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        connect(addr).await
    }

    async fn run(self, flows: Vec<Flow>) -> Result<(), String> {
        run_with_tasks(self.0, flows, run).await
    }
}

impl MixedClient for RpcClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        connect(addr).await
    }

    async fn ping(&mut self, item: items::Item) -> Result<items::Item, String> {
        let items::Item { number, payload } = item;
        let Item { number, payload } = self.0.ping(Item { number, payload }).await.map_err(text)?;
        Ok(items::Item { number, payload })
    }

    async fn down(&mut self, start: items::Start, mut taken: impl FnMut() + Send) -> Result<(), String> {
        let items::Start { payload, items } = start;
        let mut items = self.0.down(Start { payload, items }).await.map_err(text)?;
        while items.message().await.map_err(text)?.is_some() {
            taken();
        }
        Ok(())
    }

    async fn up(&mut self, items: impl Iterator<Item = items::Item> + Send + 'static) -> Result<u64, String> {
        let items = items.map(|items::Item { number, payload }| Item { number, payload });
        Ok(self.0.up(stream::iter(items)).await.map_err(text)?.items)
    }
}
