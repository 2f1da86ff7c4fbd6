//! The server process: serves until its standard input ends.

use crate::{
    SoakGateway,
    contracts::{Blob, CountRequest, Health, Soak, Summary},
};
use futures_util::{Stream, StreamExt, stream};
use rpc_runtime::{Outgoing, Rate, Server, ServerLimits, Status, Streaming, bytes::Bytes};
use std::{
    error::Error,
    future::pending,
    io::Read,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{net::TcpListener, runtime::Handle};

/// Prints its URL, and serves until standard input ends: it cannot outlive who started it.
pub(crate) async fn serve() -> Result<(), Box<dyn Error>> {
    std::thread::spawn(|| {
        // Whatever ends it: an end or an error.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let service = Service::default();
    let limits = ServerLimits {
        // All clients come from one address.
        handshakes_per_address: 1_000,
        connects_per_address: Rate::per_second(100_000),
        connects: Rate::per_second(100_000),
        ..ServerLimits::default()
    };
    let server = Server::builder()
        .server_limits(limits)
        .service(SoakGateway::new(service.clone()))
        .build()?;
    let _ = service.server.set(server.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ws://{}/rpc", listener.local_addr()?);
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}

#[derive(Clone, Default)]
struct Service {
    /// Set once, before it serves.
    server: Arc<OnceLock<Server>>,
    running: Arc<AtomicU64>,
}

/// A call that runs.
struct Running(Arc<AtomicU64>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Service {
    fn begin(&self) -> Running {
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(self.running.clone())
    }
}

impl Soak for Service {
    async fn echo(&self, request: Blob) -> Result<Blob, Status> {
        Ok(request)
    }

    async fn echo_apart(&self, request: Blob) -> Result<Blob, Status> {
        let _running = self.begin();
        tokio::task::yield_now().await;
        Ok(request)
    }

    async fn note(&self, _: Blob) -> Result<(), Status> {
        Ok(())
    }

    async fn sleep(&self) -> Result<(), Status> {
        let _running = self.begin();
        pending().await
    }

    async fn count(&self, request: CountRequest) -> Result<impl Stream<Item = Result<Blob, Status>>, Status> {
        let running = self.begin();
        let bytes = usize::try_from(request.bytes).unwrap_or_default();
        let body = Bytes::from(vec![1; bytes]);
        Ok(stream::iter(0..request.blobs).map(move |number| {
            let _ = &running;
            let body = body.clone();
            Ok(Blob { number, body })
        }))
    }

    async fn sum(&self, mut requests: Streaming<Blob>) -> Result<Summary, Status> {
        let _running = self.begin();
        let mut summary = Summary::default();
        while let Some(blob) = requests.message().await? {
            summary.blobs += 1;
            summary.bytes += blob.body.len() as u64;
        }
        Ok(summary)
    }

    async fn chat(
        &self,
        requests: Streaming<Blob>,
    ) -> Result<impl Stream<Item = Result<Blob, Status>>, Status> {
        let running = self.begin();
        Ok(requests.inspect(move |_| {
            let _ = &running;
        }))
    }

    async fn session(&self, mut input: Streaming<Blob>, output: Outgoing<Blob>) -> Result<(), Status> {
        let _running = self.begin();
        while let Some(blob) = input.message().await? {
            output.send(blob).await?;
        }
        Ok(())
    }

    async fn health(&self) -> Result<Health, Status> {
        let connections = self.server.get().map_or(0, Server::connections);
        Ok(Health {
            tasks: Handle::current().metrics().num_alive_tasks() as u64,
            connections: connections as u64,
            running: self.running.load(Ordering::Relaxed),
        })
    }
}
