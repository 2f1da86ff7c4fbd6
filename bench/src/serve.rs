//! The server process: binds a free port, says which, serves, and ends when its standard input does.

use crate::peers::{Peer, text};
use std::io::{Read, Write};
use tokio::net::TcpListener;

/// Serves `peer` until standard input ends, so that no server outlives the process that started it.
pub(crate) fn run(peer: Peer, read_buffer: usize) -> Result<(), String> {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    runtime()?.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(text)?;
        let addr = listener.local_addr().map_err(text)?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{addr}")
            .and_then(|()| stdout.flush())
            .map_err(text)?;
        peer.serve(listener, read_buffer).await
    })
}

/// The runtime of every server and every client: multi-threaded, with as many workers as there are cores.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(text)
}
