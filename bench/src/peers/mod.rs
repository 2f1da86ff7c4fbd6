//! The peers: for each a server and the fastest reasonable client of its own ecosystem.
//!
//! A server takes a listening socket and serves until the process ends. A client keeps calls in flight and counts
//! answers. Both run on tokio's multi-threaded runtime with its default number of workers.

pub(crate) mod axum_ws;
pub(crate) mod floor;
pub(crate) mod jsonrpsee_ws;
mod peer;
pub(crate) mod rpc;
pub(crate) mod rpc_raw;
pub(crate) mod tarpc_tcp;
pub(crate) mod tonic_grpc;
pub(crate) mod websocket;

pub(crate) use peer::Peer;
pub(crate) use rpc_bench_measure::text;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Answers counted for one connection, on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counter(pub AtomicU64);

impl Counter {
    /// Counts `calls` more answers.
    pub(crate) fn add(&self, calls: u64) {
        self.0.fetch_add(calls, Ordering::Relaxed);
    }
}

/// One connection of a peer's client.
pub(crate) trait Client: Sized + Send + 'static {
    /// Connects to the peer's server.
    fn connect(addr: SocketAddr) -> impl Future<Output = Result<Self, String>> + Send;

    /// Makes one call and waits for its answer.
    fn call_once(&mut self, label: usize) -> impl Future<Output = Result<(), String>> + Send;

    /// Keeps `in_flight` calls under way for ever, counting answers.
    fn load(
        self,
        in_flight: usize,
        label: usize,
        counter: Arc<Counter>,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// A client whose calls are futures: `in_flight` tasks call one after the other over a shared connection.
pub(crate) async fn load_with_tasks<C, F>(
    client: C,
    in_flight: usize,
    counter: Arc<Counter>,
    call: impl Fn(C) -> F + Clone + Send + 'static,
) -> Result<(), String>
where
    C: Clone + Send + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..in_flight {
        let (client, counter, call) = (client.clone(), Arc::clone(&counter), call.clone());
        tasks.spawn(async move {
            loop {
                if let Err(error) = call(client.clone()).await {
                    return error;
                }
                counter.add(1);
            }
        });
    }
    match tasks.join_next().await {
        Some(Ok(error)) => Err(error),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("no call is in flight".to_owned()),
    }
}
