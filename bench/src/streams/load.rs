//! The client process of the streams: one connection, all streams on it, a window measured in the middle.

use super::items::Flow;
use super::shape::{Direction, StreamShape};
use crate::load::{Measured, measure_window};
use crate::peers::Counter;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// What a client may take to end what it sends, and to hear that all of it came.
const GRACE: Duration = Duration::from_secs(10);

/// One connection of a peer's client.
pub(crate) trait StreamClient: Sized + Send + 'static {
    /// Connects to the peer's server.
    fn connect(addr: SocketAddr) -> impl Future<Output = Result<Self, String>> + Send;

    /// Runs all streams. Those that send end when their flow is over, and see to it that all they sent has come.
    fn run(self, flows: Vec<Flow>) -> impl Future<Output = Result<(), String>> + Send;
}

/// Runs each stream on a task of its own, over a shared connection.
pub(crate) async fn run_with_tasks<C, F>(
    client: C,
    flows: Vec<Flow>,
    run: impl Fn(C, Flow) -> F,
) -> Result<(), String>
where
    C: Clone,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for flow in flows {
        tasks.spawn(run(client.clone(), flow));
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// Runs a shape against the server `server_pid` at `addr`, and measures `window` after `warm_up`.
pub(crate) async fn measure<C: StreamClient>(
    addr: SocketAddr,
    server_pid: u32,
    shape: StreamShape,
    warm_up: Duration,
    window: Duration,
) -> Result<Measured, String> {
    let stop = Arc::new(AtomicBool::new(false));
    let counters: Vec<Arc<Counter>> = (0..shape.streams).map(|_| Arc::default()).collect();
    let flows = counters
        .iter()
        .map(|counter| Flow::new(shape, Arc::clone(counter), Arc::clone(&stop)))
        .collect();
    let client = C::connect(addr).await?;
    let mut running = tokio::spawn(client.run(flows));
    let done = || {
        counters
            .iter()
            .map(|counter| counter.0.load(Ordering::Relaxed))
            .sum()
    };
    let measured = tokio::select! {
        measured = measure_window(server_pid, warm_up, window, done) => measured?,
        ended = &mut running => {
            // A run that lost a stream measures something else.
            ended.map_err(|error| error.to_string())??;
            return Err("the streams ended before they were told to".to_owned());
        }
    };
    stop.store(true, Ordering::Relaxed);
    if shape.direction == Direction::Up {
        tokio::time::timeout(GRACE, running)
            .await
            .map_err(|_| "what was sent was not acknowledged in time".to_owned())?
            .map_err(|error| error.to_string())??;
    }
    Ok(measured)
}
