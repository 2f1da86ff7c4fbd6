//! This project: its server, and its own client as a program uses it.

use super::{Client, Counter, load_with_tasks, text};
use crate::messages::{AddTaskRequest, AddTaskResponse, Task, add, is_answer, request};
use rpc_runtime::codegen::{
    self, Contract, Gateway, MethodDescriptor, MethodKind, MethodTable, ServiceDescriptor, UnaryMethod,
};
use rpc_runtime::{Context, Server, Status};
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

codegen::prost_contract! {
    Task = "task" "task.Task" {
        label: 1 => codegen::Singular<codegen::Utf8>,
        checked: 2 => codegen::Singular<codegen::Bool>,
        removed: 3 => codegen::Singular<codegen::Bool>,
        id: 4 => codegen::Singular<codegen::Utf8>,
    }
}

codegen::prost_contract! {
    AddTaskRequest = "task" "task.AddTaskRequest" {
        item: 1 => codegen::Optional<codegen::Named<Task>>,
    }
}

codegen::prost_contract! {
    AddTaskResponse = "task" "task.AddTaskResponse" {
        id: 1 => codegen::Singular<codegen::Utf8>,
        item: 2 => codegen::Optional<codegen::Named<Task>>,
    }
}

const METHODS: &[MethodDescriptor] = &[MethodDescriptor::new(
    "AddTask",
    "task.TaskService/AddTask",
    rpc_protocol::method_number("task.TaskService/AddTask"),
    MethodKind::Unary,
    AddTaskRequest::descriptor,
    AddTaskResponse::descriptor,
)];

struct Tasks;

struct AddTask;

impl Gateway for Tasks {
    fn descriptor() -> &'static ServiceDescriptor {
        static SERVICE: ServiceDescriptor = ServiceDescriptor::new("task.TaskService", METHODS);
        &SERVICE
    }

    fn methods(table: &mut MethodTable<Self>) {
        table.unary::<AddTask>(0);
    }
}

impl UnaryMethod<Tasks> for AddTask {
    type Request = AddTaskRequest;
    type Response = AddTaskResponse;

    async fn call(_: &Tasks, _: &Context, request: AddTaskRequest) -> Result<AddTaskResponse, Status> {
        Ok(add(request))
    }
}

/// Serves the project's protocol.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    let server = Server::builder().service(Tasks).build().map_err(text)?;
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}

/// One connection of the project's client.
pub(crate) struct RpcClient(rpc_runtime::Client);

async fn call(client: rpc_runtime::Client, label: usize) -> Result<(), String> {
    let response: AddTaskResponse = client.unary(&METHODS[0], &request(label)).await.map_err(text)?;
    is_answer(&response, label)
        .then_some(())
        .ok_or_else(|| "an answer is not the request's".to_owned())
}

impl Client for RpcClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        rpc_runtime::Client::connect(&format!("ws://{addr}/rpc"))
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
