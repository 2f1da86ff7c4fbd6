//! The main tables: server CPU per call and calls per second, in interleaved rounds.

use crate::child::Server;
use crate::load::Measured;
use crate::options::Options;
use crate::peers::Peer;
use crate::results::{Results, Row};
use crate::shape::{MANY, Shape};
use crate::targets::{FLOOR_OF_TONIC, RATE_OF_TONIC, TARGETS};
use rpc_bench_measure::Placement;

/// Measures, prints the tables, and says whether the run is valid.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut all: Vec<Results<Peer, Shape>> = options
        .placements()
        .into_iter()
        .map(|placement| Results::new(placement, options.peers(), options.shapes()))
        .collect();
    let rounds = options.rounds();
    for round in 0..rounds {
        for results in &mut all {
            results.measure(round, |peer, shape, placement| {
                Server::start(peer, placement, options)?.load(peer, shape, options)
            })?;
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    let mut valid = true;
    for results in &all {
        println!("\n# Server and client {}\n", results.placement.name());
        results.print_table(
            "Server CPU per call (microseconds)",
            2,
            |_| true,
            Measured::server_us,
        );
        results.print_table(
            "Calls per second (thousands)",
            0,
            |_| true,
            |figures| figures.rate() / 1_000.0,
        );
        results.print_table(
            "Client CPU per call (microseconds)",
            2,
            |_| true,
            Measured::client_us,
        );
        print_targets(results);
        valid &= print_validity(results);
    }
    Ok(valid)
}

fn print_targets(results: &Results<Peer, Shape>) {
    let rows: Vec<String> = Peer::OURS
        .into_iter()
        .flat_map(|ours| TARGETS.into_iter().map(move |target| (ours, target)))
        .filter_map(|(ours, target)| {
            let ratio = results.ratio(ours, target.peer, target.shape, Measured::server_us)?;
            let verdict = if ratio <= target.ratio {
                "reached"
            } else {
                "missed"
            };
            let (shape, ours, peer) = (target.shape.name, ours.title(), target.peer.title());
            Some(format!(
                "| {shape} | {ours} | {peer} | {ratio:.3} | {:.3} | {verdict} |",
                target.ratio
            ))
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    println!("\n## Ratios of server CPU per call (median of the rounds' ratios)\n");
    println!(
        "| {} | | to | ratio | target | |\n|---|---|---|---:|---:|---|",
        results.placement.name()
    );
    println!("{}", rows.join("\n"));
    if results.placement == Placement::Together {
        // On one core the rate says the same as the CPU of both sides.
        return;
    }
    for ours in Peer::OURS {
        if let Some(ratio) = results.ratio(ours, Peer::Tonic, MANY, Measured::rate) {
            let verdict = if ratio >= RATE_OF_TONIC {
                "reached"
            } else {
                "missed"
            };
            let (ours, shape) = (ours.title(), MANY.name);
            println!(
                "\n{ours}: {ratio:.1} times tonic's calls per second at {shape}, target {RATE_OF_TONIC}: {verdict}"
            );
        }
    }
}

fn print_validity(results: &Results<Peer, Shape>) -> bool {
    let shape = MANY.name;
    let Some(ratio) = results.ratio(Peer::Floor, Peer::Tonic, MANY, Measured::server_us) else {
        println!("\nNot checked for validity: floor and tonic at {shape} were not both measured.");
        return true;
    };
    let valid = ratio < FLOOR_OF_TONIC;
    println!(
        "\nThe run is {}: at {shape} the floor costs 1/{:.1} of tonic, and must cost less than 1/{:.0}.",
        if valid {
            "valid"
        } else {
            "INVALID (the machine was too noisy)"
        },
        1.0 / ratio,
        1.0 / FLOOR_OF_TONIC
    );
    valid
}
