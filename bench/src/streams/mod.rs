//! Streams: messages per second and CPU per message, each way, beside tonic and a WebSocket without windows.

mod floor;
pub(crate) mod items;
mod load;
mod peer;
mod rpc;
mod rpc_raw;
mod shape;
mod tonic;

pub(crate) use peer::StreamPeer;
pub(crate) use shape::{Direction, LARGE_PAYLOAD, StreamShape, shapes};

use crate::child::Server;
use crate::load::Measured;
use crate::options::Options;
use crate::results::Results;
use rpc_bench_measure::Summary;
use shape::SMALL_PAYLOAD;

/// The floor's figures of one load may lie so far apart, as a part of their median; else the machine was too noisy.
///
/// Not a ratio to tonic, as for calls: how much of a message's cost is the peer's and how much the copying of it is
/// another mixture at each load, and in each placement.
const SPREAD: f64 = 0.35;

/// Measures, prints the tables, and says whether the run is valid.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut all: Vec<Results<StreamPeer, StreamShape>> = options
        .placements()
        .into_iter()
        .map(|placement| Results::new(placement, options.stream_peers(), options.stream_shapes()))
        .collect();
    let rounds = options.rounds();
    for round in 0..rounds {
        for results in &mut all {
            results.measure(round, |peer, shape, placement| {
                Server::start_streams(peer, placement, options)?.load_streams(peer, shape, options)
            })?;
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    let mut valid = true;
    for results in &all {
        let placement = results.placement.name();
        for direction in Direction::ALL {
            let wanted = |shape: StreamShape| shape.direction == direction;
            println!(
                "\n# Streams, {}: server and client {placement}",
                direction.title()
            );
            results.print_table("Messages per second (thousands)", 1, wanted, |figures| {
                figures.rate() / 1_000.0
            });
            results.print_table(
                "Server CPU per message (microseconds)",
                2,
                wanted,
                Measured::server_us,
            );
            results.print_table(
                "Client CPU per message (microseconds)",
                2,
                wanted,
                Measured::client_us,
            );
            results.print_ratios(
                "Server CPU per message, of the floor's",
                StreamPeer::Floor,
                wanted,
                Measured::server_us,
            );
        }
        valid &= print_validity(results);
    }
    Ok(valid)
}

fn print_validity(results: &Results<StreamPeer, StreamShape>) -> bool {
    let spreads = shapes()
        .into_iter()
        .filter(|shape| shape.direction != Direction::Echo && shape.payload == SMALL_PAYLOAD)
        .filter_map(|shape| results.summary(StreamPeer::Floor, shape, Measured::server_us))
        .map(|summary| (summary.most - summary.least) / summary.median);
    let Some(Summary { most: widest, .. }) = Summary::of(spreads) else {
        println!("\nNot checked for validity: the floor was not measured with small messages.");
        return true;
    };
    let valid = widest < SPREAD;
    println!(
        "\nThe run is {}: with messages of 100 B one way the floor's rounds lie up to {:.0} % of their median apart, and \
         may {:.0} %.",
        if valid {
            "valid"
        } else {
            "INVALID (the machine was too noisy)"
        },
        widest * 100.0,
        SPREAD * 100.0
    );
    valid
}
