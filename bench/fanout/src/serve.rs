//! The server's process: says where it serves and where its publisher listens, and ends with its standard input.

use crate::listen::allow;
use crate::peers::Peer;
use clap::Args;
use rpc_bench_measure::{Placement, Side, say, text};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: u32 = 4_096;

/// How a server is set up.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Setup {
    /// Whose server.
    pub(crate) peer: Peer,
    /// How many subscribers will come.
    #[arg(long)]
    pub(crate) subscribers: usize,
    /// Bytes that the kernel keeps of what a subscriber has not taken; it doubles them. 0: what it finds right.
    #[arg(long, default_value_t = 0)]
    pub(crate) send_buffer: u32,
    /// Where the process may run.
    #[arg(long, value_enum)]
    pub(crate) placement: Placement,
}

/// Serves. Prints two addresses.
pub(crate) fn run(setup: Setup) -> Result<(), String> {
    // As many as the machine has, wherever the process is then kept.
    let workers = std::thread::available_parallelism().map_err(text)?.get();
    setup.placement.place(Side::Server)?;
    allow(setup.subscribers)?;
    std::thread::spawn(|| {
        // No server outlives the process that started it.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(text)?;
    runtime.block_on(async {
        let listener = listen(setup.send_buffer)?;
        let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(text)?;
        for listener in [&listener, &control] {
            say(&listener.local_addr().map_err(text)?.to_string())?;
        }
        setup.peer.serve(listener, control).await
    })
}

/// A listener whose connections have send buffers of that size.
fn listen(send_buffer: u32) -> Result<TcpListener, String> {
    let socket = TcpSocket::new_v4().map_err(text)?;
    if send_buffer > 0 {
        socket.set_send_buffer_size(send_buffer).map_err(text)?;
    }
    socket
        .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
        .map_err(text)?;
    socket.listen(BACKLOG).map_err(text)
}
