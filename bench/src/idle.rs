//! What many idle connections cost: memory for each, and how much more a call costs beside them.

use crate::child::{Holder, Server};
use crate::load::Measured;
use crate::memory::SETTLE;
use crate::options::Options;
use crate::peers::{Peer, text};
use crate::results::Row;
use crate::shape::MANY;
use rpc_bench_measure::{Placement, Summary, allow_files, resident};

/// What the load beside many idle connections is held against, and what warms a server up.
const FEW: usize = 100;
/// Connections of the load, standard streams and the like.
const OTHER_FILES: u64 = 200;

/// One server with a number of idle connections, and what the rounds measured on it.
struct Side {
    server: Server,
    /// Holds the connections for as long as this lives.
    _holder: Holder,
    measured: Vec<Measured>,
}

/// Measures each peer beside few and beside `connections` idle connections, and prints the table.
pub(crate) fn run(connections: usize, options: &Options) -> Result<(), String> {
    let needed = connections as u64 + OTHER_FILES;
    let allowed = allow_files(needed).map_err(text)?;
    if allowed < needed {
        return Err(format!(
            "{connections} connections need {needed} open files in one process and {allowed} are allowed: \
             raise the limit (`ulimit -Hn`), or hold fewer (`idle {}`)",
            allowed.saturating_sub(OTHER_FILES)
        ));
    }
    let peers = match options.peers() {
        peers if peers.len() == Peer::ALL.len() => vec![Peer::Floor, Peer::RpcRaw, Peer::Rpc],
        peers => peers,
    };
    for placement in options.placements() {
        println!(
            "\n## {} beside {FEW} and beside {connections} idle connections, {}: medians\n",
            MANY.name,
            placement.name()
        );
        println!("| peer | KiB each | CPU per call, us | | ratio | thousand calls/s | | ratio |");
        println!("|---|---:|---:|---:|---:|---:|---:|---:|");
        for &peer in &peers {
            println!("{}", row(peer, connections, placement, options)?);
        }
    }
    Ok(())
}

fn row(peer: Peer, connections: usize, placement: Placement, options: &Options) -> Result<String, String> {
    let (mut few, _) = Side::start(peer, 0, placement, options)?;
    let (mut many, bytes) = Side::start(peer, connections - FEW.min(connections), placement, options)?;
    for _ in 0..options.rounds() {
        // One after the other, so that what a ratio compares is seconds apart.
        for side in [&mut few, &mut many] {
            side.measured.push(side.server.load(peer, MANY, options)?);
        }
    }
    let median = |figure: fn(&Measured) -> f64| {
        let of = |side: &Side| Summary::of(side.measured.iter().map(figure)).map_or(f64::NAN, |s| s.median);
        let pairs = few.measured.iter().zip(&many.measured);
        let ratio = Summary::of(pairs.map(|(few, many)| figure(many) / figure(few)));
        (of(&few), of(&many), ratio.map_or(f64::NAN, |ratio| ratio.median))
    };
    let cpu = median(Measured::server_us);
    let rate = median(Measured::rate);
    Ok(format!(
        "| {} | {:.1} | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.2} |",
        peer.title(),
        bytes / 1024.0,
        cpu.0,
        cpu.1,
        cpu.2,
        rate.0 / 1_000.0,
        rate.1 / 1_000.0,
        rate.2,
    ))
}

impl Side {
    /// A server with [`FEW`] idle connections, and `more`; and what each of those takes.
    fn start(
        peer: Peer,
        more: usize,
        placement: Placement,
        options: &Options,
    ) -> Result<(Self, f64), String> {
        let server = Server::start(peer, placement, options)?;
        let mut holder = server.hold(peer)?;
        let settled = || {
            std::thread::sleep(SETTLE);
            resident(server.pid()).map_err(text)
        };
        holder.open(FEW)?;
        let before = settled()?;
        let mut each = 0.0;
        if more > 0 {
            holder.open(more)?;
            each = settled()?.saturating_sub(before) as f64 / more as f64;
        }
        let side = Self {
            server,
            _holder: holder,
            measured: Vec::new(),
        };
        Ok((side, each))
    }
}
