//! tarpc over TCP with bincode, TCP_NODELAY on (tarpc leaves it off, and pays for it with large messages).

use super::{Client, Counter, load_with_tasks, text};
use crate::messages::{AddTaskRequest, AddTaskResponse, add, is_answer, request};
use futures_util::StreamExt;
use std::net::SocketAddr;
use std::sync::Arc;
use tarpc::server::{BaseChannel, Channel};
use tarpc::{client, context, serde_transport};
use tokio::net::{TcpListener, TcpStream};
use tokio_serde::formats::Bincode;
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

/// The measured service.
#[tarpc::service]
pub(crate) trait Tasks {
    /// Adds a task.
    async fn add(request: AddTaskRequest) -> AddTaskResponse;
}

#[derive(Clone)]
struct Server;

impl Tasks for Server {
    async fn add(self, _: context::Context, request: AddTaskRequest) -> AddTaskResponse {
        add(request)
    }
}

/// Serves tarpc, one task per request as its examples do.
pub(crate) async fn serve(listener: TcpListener) -> Result<(), String> {
    loop {
        let (stream, _) = listener.accept().await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let transport = serde_transport::new(LengthDelimitedCodec::new().framed(stream), Bincode::default());
        let requests = BaseChannel::with_defaults(transport).execute(Server.serve());
        tokio::spawn(requests.for_each(|request| async {
            tokio::spawn(request);
        }));
    }
}

/// One connection.
pub(crate) struct TarpcClient(TasksClient);

async fn call(client: TasksClient, label: usize) -> Result<(), String> {
    let response = client
        .add(context::current(), request(label))
        .await
        .map_err(text)?;
    is_answer(&response, label)
        .then_some(())
        .ok_or_else(|| "an answer is not the request's".to_owned())
}

impl Client for TarpcClient {
    async fn connect(addr: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(addr).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        let transport = serde_transport::new(LengthDelimitedCodec::new().framed(stream), Bincode::default());
        Ok(Self(
            TasksClient::new(client::Config::default(), transport).spawn(),
        ))
    }

    async fn call_once(&mut self, label: usize) -> Result<(), String> {
        call(self.0.clone(), label).await
    }

    async fn load(self, in_flight: usize, label: usize, counter: Arc<Counter>) -> Result<(), String> {
        load_with_tasks(self.0, in_flight, counter, move |client| call(client, label)).await
    }
}
