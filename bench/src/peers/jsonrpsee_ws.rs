//! jsonrpsee over WebSocket: JSON both ways, the handler registered as a plain function (its fastest form).

use super::{Client, Counter, load_with_tasks, text};
use crate::messages::{AddTaskRequest, AddTaskResponse, add, is_answer, request};
use jsonrpsee::RpcModule;
use jsonrpsee::core::client::ClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::server::{Server, ServerConfig};
use jsonrpsee_ws_client::{WsClient, WsClientBuilder};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves JSON-RPC over WebSockets.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    let config = ServerConfig::builder().max_connections(100_000).ws_only().build();
    let listener = listener.into_std().map_err(text)?;
    let server = Server::builder()
        .set_config(config)
        .build_from_tcp(listener)
        .map_err(text)?;
    let mut module = RpcModule::new(());
    module
        .register_method("task_add", |params, (), _| {
            params.one::<AddTaskRequest>().map(add)
        })
        .map_err(text)?;
    server.start(module).stopped().await;
    Ok(())
}

/// One connection; clones share it.
pub(crate) struct JsonrpseeClient(Arc<WsClient>);

async fn call(client: Arc<WsClient>, label: usize) -> Result<(), String> {
    let response: AddTaskResponse = client
        .request("task_add", rpc_params![request(label)])
        .await
        .map_err(text)?;
    is_answer(&response, label)
        .then_some(())
        .ok_or_else(|| "an answer is not the request's".to_owned())
}

impl Client for JsonrpseeClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        let client = WsClientBuilder::new()
            .build(format!("ws://{addr}"))
            .await
            .map_err(text)?;
        Ok(Self(Arc::new(client)))
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        call(Arc::clone(&self.0), label).await
    }

    async fn load(self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        load_with_tasks(self.0, in_flight, counter, move |client| call(client, label)).await
    }
}
