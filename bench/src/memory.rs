//! Resident memory of a server per idle connection after one call.

use crate::child::Server;
use crate::options::Options;
use crate::peers::text;
use crate::results::Row;
use rpc_bench_measure::{Placement, resident};
use std::time::Duration;

/// Connections opened before the baseline is read, so that code, runtime and allocator are warm.
const WARM_UP: usize = 100;
/// What a server gets to settle in.
pub(crate) const SETTLE: Duration = Duration::from_millis(500);

/// Measures each peer once and prints the table.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let held = options.held();
    println!("\n## Resident per idle connection after one call (KiB, {held} connections)\n");
    println!("| peer | KiB |\n|---|---:|");
    for peer in options.peers() {
        let server = Server::start(peer, Placement::Free, options)?;
        let mut holder = server.hold(peer)?;
        let read = || resident(server.pid()).map_err(text);
        holder.open(WARM_UP)?;
        std::thread::sleep(SETTLE);
        let before = read()?;
        holder.open(held)?;
        std::thread::sleep(SETTLE);
        let used = read()?.saturating_sub(before);
        println!("| {} | {:.1} |", peer.title(), used as f64 / 1024.0 / held as f64);
    }
    Ok(())
}
