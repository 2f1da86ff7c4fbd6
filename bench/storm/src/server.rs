//! The server process: serves, says how it does, closes its clients when it is told to, and ends with its standard input.

use crate::SteadyGateway;
use crate::contracts::{Beat, Steady};
use crate::files::{self, Side, text};
use rpc_bench_measure::{say, say_json};
use rpc_protocol::CloseCode;
use rpc_runtime::{Rate, Server, ServerLimits, Status};
use serde::{Deserialize, Serialize};
use std::future::pending;
use std::io::BufRead;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

/// Connections that the system keeps until they are accepted, as `rpc_runtime::Server::listen` has it. That cannot be asked for a
/// port which several listeners share.
const QUEUE: u32 = 4_096;

/// How often it is looked how long a task waits for its turn.
const PROBED: Duration = Duration::from_millis(10);

/// How a server is set up.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Setup {
    /// The most connections.
    #[arg(long)]
    pub(crate) connections: usize,
    /// New connections per second, in all [default: the server's].
    #[arg(long)]
    pub(crate) connects: Option<u32>,
    /// Threads with a table of open files each; 0 is tokio's ordinary runtime, as most servers have it.
    #[arg(long)]
    pub(crate) threads: usize,
}

/// How a server does.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// Clients that are connected.
    pub(crate) connections: usize,
    /// Tasks of its runtimes.
    pub(crate) tasks: usize,
    /// The longest that a task which was due has waited for its turn since this was asked last, in microseconds.
    pub(crate) longest_wait_us: u64,
}

struct Echo;

impl Steady for Echo {
    async fn beat(&self, beat: Beat) -> Result<Beat, Status> {
        Ok(beat)
    }
}

/// Where one of the server's runtimes serves.
type Started = (SocketAddr, Handle);

/// Prints its address and serves. A line `state` is answered with a [`State`]; `close` closes everybody but the callers, with
/// 1012, and is answered with how many there were.
pub(crate) fn run(setup: Setup) -> Result<(), String> {
    let processors = files::place(Side::Server)?;
    files::allow_most()?;
    let mut limits = ServerLimits {
        connections: setup.connections,
        ..ServerLimits::default()
    };
    if let Some(connects) = setup.connects {
        limits.connects = Rate::per_second(connects);
    }
    let server = Server::builder()
        .service(SteadyGateway::new(Echo))
        .server_limits(limits)
        .build()
        .map_err(text)?;
    let (started, starts) = mpsc::channel();
    let mut runtimes = Vec::new();
    let waited = Arc::new(AtomicU64::new(0));
    let mut addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    for _ in 0..setup.threads.max(1) {
        let (server, started, waited) = (server.clone(), started.clone(), waited.clone());
        if setup.threads == 0 {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(processors)
                .enable_all()
                .build()
                .map_err(text)?;
            std::thread::spawn(move || runtime.block_on(serve(server, addr, started, waited)));
        } else {
            files::spawn(move || serve(server, addr, started, waited));
        }
        let (at, handle) = starts
            .recv()
            .map_err(|_| "a thread of the server did not start")?;
        // The first is given a port; the others share it.
        addr = at;
        runtimes.push(handle);
    }
    say(&addr.to_string())?;
    for line in std::io::stdin().lock().lines() {
        match line.map_err(text)?.as_str() {
            "state" => say_json(&State {
                connections: server.connections(),
                tasks: runtimes
                    .iter()
                    .map(|runtime| runtime.metrics().num_alive_tasks())
                    .sum(),
                longest_wait_us: waited.swap(0, Relaxed),
            })?,
            "close" => say_json(&close_all(&server))?,
            other => return Err(format!("an unknown command: {other}")),
        }
    }
    Ok(())
}

async fn serve(
    server: Server,
    addr: SocketAddr,
    started: mpsc::Sender<Started>,
    waited: Arc<AtomicU64>,
) -> Result<(), String> {
    tokio::spawn(probe(waited));
    let listener = listen(addr).map_err(text)?;
    let addr = listener.local_addr().map_err(text)?;
    started.send((addr, Handle::current())).map_err(text)?;
    server.serve_with_listener(listener, pending()).await;
    Ok(())
}

/// A task as any other, which sees how late its turns come.
async fn probe(waited: Arc<AtomicU64>) {
    loop {
        let due = Instant::now() + PROBED;
        sleep_until(due).await;
        // The runtime's timer counts milliseconds: that much later is no delay.
        let late = due.elapsed().saturating_sub(Duration::from_millis(1));
        waited.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }
}

fn listen(addr: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    socket.listen(QUEUE)
}

fn close_all(server: &Server) -> usize {
    let is_caller = |addr: &SocketAddr| addr.ip() == Ipv4Addr::LOCALHOST;
    let mut closed = 0;
    for session in server.sessions() {
        if !session.info().remote_addr().as_ref().is_some_and(is_caller) {
            session.close(CloseCode::Restart, "");
            closed += 1;
        }
    }
    closed
}
