//! Fairness: how long unary calls take while streams of 64 MiB run on the same connection, beside how long they take alone.

mod load;
pub(crate) mod rpc_raw;

pub(crate) use load::{Latencies, MixedClient, measure_beside};

use crate::child::Server;
use crate::options::Options;
use crate::results::Row;
use crate::streams::{LARGE_PAYLOAD, StreamPeer};
use clap::ValueEnum;
use rpc_bench_measure::{Placement, Summary};

/// The 99th percentile beside streams may be at most this many times the one without.
const TARGET: f64 = 3.0;

/// A connection has 100 streams by default, and a call takes one of them.
const MANY: usize = 99;
/// A message that is longer than a window.
const LONG_PAYLOAD: usize = 2 << 20;

/// What else is on the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Traffic {
    /// Nothing.
    Idle,
    /// One stream from the server.
    Down,
    /// As many streams from the server as leave one for the calls.
    DownMany,
    /// One stream from the server, of messages of 2 MiB.
    DownLong,
    /// One stream to the server.
    Up,
    /// As many streams to the server as leave one for the calls.
    UpMany,
    /// One stream to the server, of messages of 2 MiB.
    UpLong,
}

impl Traffic {
    /// All of it, in the order of the tables. What is compared with comes first.
    const ALL: [Self; 7] = [
        Self::Idle,
        Self::Down,
        Self::DownMany,
        Self::DownLong,
        Self::Up,
        Self::UpMany,
        Self::UpLong,
    ];

    /// What is measured beside a peer's calls.
    fn of(peer: StreamPeer) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |traffic| peer != StreamPeer::RpcRaw || traffic.streams().1)
    }

    /// How many streams, whether they are from the server, and bytes of their messages' payloads.
    fn streams(self) -> (usize, bool, usize) {
        match self {
            Self::Idle => (0, true, 0),
            Self::Down => (1, true, LARGE_PAYLOAD),
            Self::DownMany => (MANY, true, LARGE_PAYLOAD),
            Self::DownLong => (1, true, LONG_PAYLOAD),
            Self::Up => (1, false, LARGE_PAYLOAD),
            Self::UpMany => (MANY, false, LARGE_PAYLOAD),
            Self::UpLong => (1, false, LONG_PAYLOAD),
        }
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Down => "down",
            Self::DownMany => "down-many",
            Self::DownLong => "down-long",
            Self::Up => "up",
            Self::UpMany => "up-many",
            Self::UpLong => "up-long",
        }
    }

    /// The name in the tables.
    fn title(self) -> &'static str {
        match self {
            Self::Idle => "no streams",
            Self::Down => "1 from the server",
            Self::DownMany => "99 from the server",
            Self::DownLong => "1 from the server, 2 MiB messages",
            Self::Up => "1 to the server",
            Self::UpMany => "99 to the server",
            Self::UpLong => "1 to the server, 2 MiB messages",
        }
    }
}

struct Measurement {
    placement: Placement,
    peer: StreamPeer,
    traffic: Traffic,
    latencies: Latencies,
}

/// Measures and prints the tables.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let peers: Vec<StreamPeer> = options
        .stream_peers()
        .into_iter()
        .filter(|peer| StreamPeer::WITH_CALLS.contains(peer))
        .collect();
    // On one core a call waits for the scheduler to take the core from whoever has it, for milliseconds: that would be
    // what is measured.
    let placements = options.placements_or(&[Placement::Apart]);
    let mut measured = Vec::new();
    let rounds = options.rounds();
    for round in 0..rounds {
        for &placement in &placements {
            for &peer in &peers {
                for traffic in Traffic::of(peer) {
                    let latencies = Server::start_streams(peer, placement, options)?
                        .load_beside(peer, traffic, options)
                        .map_err(|error| format!("{} beside {}: {error}", peer.title(), traffic.title()))?;
                    measured.push(Measurement {
                        placement,
                        peer,
                        traffic,
                        latencies,
                    });
                }
            }
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    for placement in placements {
        print(placement, &peers, &measured);
    }
    Ok(())
}

fn print(placement: Placement, peers: &[StreamPeer], measured: &[Measurement]) {
    println!(
        "\n# Unary calls beside streams of 64 MiB on one connection: server and client {}\n",
        placement.name()
    );
    println!(
        "One call at a time. Medians over the rounds, and of the 99th percentile also the least, because noise only adds \
         to it; the ratio is that of the least ones, target {TARGET}.\n"
    );
    println!(
        "| {} | streams | p50 µs | p99 µs | least p99 µs | of idle's | | calls/s | streams MiB/s |",
        placement.name()
    );
    println!("|---|---|---:|---:|---:|---:|---|---:|---:|");
    for &peer in peers {
        for traffic in Traffic::of(peer) {
            let of = |traffic: Traffic| {
                measured.iter().filter(move |one| {
                    one.placement == placement && one.peer == peer && one.traffic == traffic
                })
            };
            let median = |figure: fn(&Latencies) -> f64| {
                Summary::of(of(traffic).map(|one| figure(&one.latencies)))
                    .map_or(f64::NAN, |summary| summary.median)
            };
            let least = |traffic: Traffic| {
                Summary::of(of(traffic).map(|one| one.latencies.p99_us))
                    .map_or(f64::NAN, |summary| summary.least)
            };
            let ratio = least(traffic) / least(Traffic::Idle);
            let verdict = match traffic {
                Traffic::Idle => "",
                _ if ratio <= TARGET => "reached",
                _ => "missed",
            };
            println!(
                "| {} | {} | {:.0} | {:.0} | {:.0} | {ratio:.2} | {verdict} | {:.0} | {:.0} |",
                peer.title(),
                traffic.title(),
                median(|latencies| latencies.p50_us),
                median(|latencies| latencies.p99_us),
                least(traffic),
                median(|latencies| latencies.calls_per_second),
                median(|latencies| latencies.mib_per_second),
            );
        }
    }
}
