//! The server process: binds a free port, says which, serves, and ends when its standard input does.

use crate::options::Options;
use crate::peers::text;
use rpc_bench_measure::{Placement, Side};
use std::future::Future;
use std::io::{Read, Write};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Serves until standard input ends, so that no server outlives the process that started it.
pub(crate) fn run<F>(options: &Options, serve: impl FnOnce(TcpListener) -> F) -> Result<(), String>
where
    F: Future<Output = Result<(), String>>,
{
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    runtime(Side::Server, options.placed())?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(text)?;
        let addr = listener.local_addr().map_err(text)?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{addr}")
            .and_then(|()| stdout.flush())
            .map_err(text)?;
        serve(listener).await
    })
}

/// The runtime of every server and every client: multi-threaded, with as many workers as the machine has cores.
///
/// Called before any other thread is started, so that all threads of the process keep to their placement.
pub(crate) fn runtime(side: Side, placement: Placement) -> Result<Runtime, String> {
    let workers = std::thread::available_parallelism().map_err(text)?.get();
    placement.place(side)?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(text)
}
