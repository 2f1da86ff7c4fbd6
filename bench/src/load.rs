//! The client process: connects, keeps the calls of a shape in flight, and measures a window in the middle.

use crate::peers::{Client, Counter};
use crate::shape::Shape;
use rpc_bench_measure::CpuClock;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What tells a peer that hangs from a machine that stood still.
const STALL: Duration = Duration::from_secs(2);

/// What one client process measured, handed to the orchestrator as one line of JSON.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Calls answered, or messages taken, within the window.
    pub(crate) count: u64,
    /// Length of the window.
    pub(crate) seconds: f64,
    /// CPU time of the server within the window, in nanoseconds.
    pub(crate) server_cpu_ns: u64,
    /// CPU time of the client within the window, in nanoseconds.
    pub(crate) client_cpu_ns: u64,
}

impl Measured {
    /// Server CPU, in microseconds for one of them.
    pub(crate) fn server_us(&self) -> f64 {
        self.server_cpu_ns as f64 / 1_000.0 / self.count.max(1) as f64
    }

    /// Client CPU, in microseconds for one of them.
    pub(crate) fn client_us(&self) -> f64 {
        self.client_cpu_ns as f64 / 1_000.0 / self.count.max(1) as f64
    }

    /// How many per second.
    pub(crate) fn rate(&self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// Runs a shape against the server `server_pid` at `addr`, and measures `window` after `warm_up`.
pub(crate) async fn measure<C: Client>(
    addr: SocketAddr,
    server_pid: u32,
    shape: Shape,
    warm_up: Duration,
    window: Duration,
) -> Result<Measured, String> {
    let mut counters = Vec::with_capacity(shape.connections);
    for _ in 0..shape.connections {
        let client = C::connect(addr).await?;
        let counter = Arc::new(Counter::default());
        counters.push(Arc::clone(&counter));
        tokio::spawn(async move {
            if let Err(error) = client.load(shape.in_flight, shape.label, counter).await {
                // A run that lost a connection measures something else.
                eprintln!("load: {error}");
                std::process::exit(1);
            }
        });
    }
    let answered = || {
        counters
            .iter()
            .map(|counter| counter.0.load(Ordering::Relaxed))
            .sum::<u64>()
    };
    measure_window(server_pid, warm_up, window, answered).await
}

/// Measures `window` after `warm_up`, while a load is running; `done` counts calls or messages.
pub(crate) async fn measure_window(
    server_pid: u32,
    warm_up: Duration,
    window: Duration,
    done: impl Fn() -> u64,
) -> Result<Measured, String> {
    let server = CpuClock::of(server_pid).map_err(|error| error.to_string())?;
    let client = CpuClock::of(std::process::id()).map_err(|error| error.to_string())?;
    let read = || -> Result<_, String> {
        let server = server.now().map_err(|error| error.to_string())?;
        let client = client.now().map_err(|error| error.to_string())?;
        Ok((done(), Instant::now(), server, client))
    };

    tokio::time::sleep(warm_up).await;
    let before = read()?;
    tokio::time::sleep(window).await;
    let after = read()?;
    let count = after.0 - before.0;
    if count == 0 {
        tokio::time::sleep(STALL).await;
        return Err(match done() - after.0 {
            0 => format!("nothing was done within the window, nor in {STALL:?} after it: the peer hangs"),
            late => format!(
                "nothing was done within the window, and {late} in {STALL:?} after it: the machine stood still"
            ),
        });
    }
    Ok(Measured {
        count,
        seconds: (after.1 - before.1).as_secs_f64(),
        server_cpu_ns: nanoseconds(after.2 - before.2),
        client_cpu_ns: nanoseconds(after.3 - before.3),
    })
}

/// Opens `connections`, makes one call on each, and gives them back, so that they stay open.
pub(crate) async fn hold<C: Client>(
    addr: SocketAddr,
    connections: usize,
    label: usize,
) -> Result<Vec<C>, String> {
    let mut held = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut client = C::connect(addr).await?;
        client.call_once(label).await?;
        held.push(client);
    }
    Ok(held)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
