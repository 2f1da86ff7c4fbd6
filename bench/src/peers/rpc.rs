//! This project: the server of a generated gateway, and the generated client.

use super::{Client, Counter, load_with_tasks, text};
use crate::contracts::TasksContract;
use crate::messages::ID;
use crate::{TaskClient, TaskGateway, TaskService};
use rpc_runtime::{Context, Rate, Server, ServerLimits, Status};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

struct Tasks;

impl TaskService for Tasks {
    /// What [`messages::add`](crate::messages::add) does; the gateway makes the response of it.
    async fn add(&self, _: &Context, mut item: TasksContract) -> Result<TasksContract, Status> {
        item.id = ID.to_owned();
        Ok(item)
    }
}

/// All connections of a measurement come from one address, as fast as they are made.
pub(crate) fn limits() -> ServerLimits {
    ServerLimits {
        handshakes_per_address: 1_000,
        connections_per_address: 1_000_000,
        connects_per_address: Rate::per_second(1_000_000),
        connects: Rate::per_second(1_000_000),
        ..ServerLimits::default()
    }
}

/// Serves the project's protocol.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    let server = Server::builder()
        .service(TaskGateway::new(Tasks))
        .server_limits(limits())
        .build()
        .map_err(text)?;
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}

/// One connection of the project's client.
pub(crate) struct RpcClient(TaskClient);

async fn call(client: TaskClient, label: usize) -> Result<(), String> {
    let item = TasksContract {
        label: "x".repeat(label),
        ..Default::default()
    };
    let added = client.add(item).await.map_err(text)?;
    let is_answer = added.id == ID && added.label.len() == label;
    is_answer
        .then_some(())
        .ok_or_else(|| "an answer is not the request's".to_owned())
}

impl Client for RpcClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        TaskClient::connect(&format!("ws://{addr}/rpc"))
            .await
            .map(Self)
            .map_err(text)
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        call(self.0.clone(), label).await
    }

    async fn load(self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        load_with_tasks(self.0, in_flight, counter, move |client| call(client, label)).await
    }
}
