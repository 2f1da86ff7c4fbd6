//! The main tables: server CPU per call and calls per second, in interleaved rounds.

use crate::child::Server;
use crate::load::Measured;
use crate::peers::Peer;
use crate::shape::{MANY, Shape};
use crate::statistics::Summary;
use crate::targets::{FLOOR_OF_TONIC, RATE_OF_TONIC, TARGETS};
use crate::{Options, Placement};

/// Every measurement under one placement.
struct Results {
    placement: Placement,
    peers: Vec<Peer>,
    shapes: Vec<Shape>,
    measured: Vec<Measurement>,
}

struct Measurement {
    round: usize,
    peer: Peer,
    shape: Shape,
    figures: Measured,
}

/// Measures, prints the tables, and says whether the run is valid.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut all: Vec<Results> = options
        .placements()
        .into_iter()
        .map(|placement| Results {
            placement,
            peers: options.peers(),
            shapes: options.shapes(),
            measured: Vec::new(),
        })
        .collect();
    let rounds = options.rounds();
    for round in 0..rounds {
        for results in &mut all {
            results.measure(round, options)?;
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    let mut valid = true;
    for results in &all {
        println!("\n# Server and client {}\n", results.placement.name());
        results.print_table("Server CPU per call (microseconds)", 2, Measured::server_us);
        results.print_table("Calls per second (thousands)", 0, |figures| {
            figures.rate() / 1_000.0
        });
        results.print_table("Client CPU per call (microseconds)", 2, Measured::client_us);
        results.print_targets();
        valid &= results.print_validity();
    }
    Ok(valid)
}

impl Results {
    /// One round: the peers one after the other at each shape, so that what a ratio compares is seconds apart.
    fn measure(&mut self, round: usize, options: &Options) -> Result<(), String> {
        for &shape in &self.shapes {
            for &peer in &self.peers {
                let figures = Server::start(peer, self.placement, options)?
                    .load(peer, shape, options)
                    .map_err(|error| format!("{} at {}: {error}", peer.name(), shape.name))?;
                self.measured.push(Measurement {
                    round,
                    peer,
                    shape,
                    figures,
                });
            }
        }
        Ok(())
    }

    fn of(&self, peer: Peer, shape: Shape) -> impl Iterator<Item = &Measurement> {
        self.measured
            .iter()
            .filter(move |measured| measured.peer == peer && measured.shape == shape)
    }

    fn print_table(&self, title: &str, digits: usize, figure: impl Fn(&Measured) -> f64) {
        println!("\n## {title}: median (least to most)\n");
        let names: Vec<&str> = self.shapes.iter().map(|shape| shape.name).collect();
        println!(
            "| {} | {} |\n|---|{}",
            self.placement.name(),
            names.join(" | "),
            "---:|".repeat(names.len())
        );
        for &peer in &self.peers {
            let cells = self.shapes.iter().map(|&shape| {
                let figures = self.of(peer, shape).map(|measured| figure(&measured.figures));
                Summary::of(figures).map_or_else(String::new, |summary| {
                    format!(
                        "{:.digits$} ({:.digits$} to {:.digits$})",
                        summary.median, summary.least, summary.most
                    )
                })
            });
            println!("| {} | {} |", peer.title(), cells.collect::<Vec<_>>().join(" | "));
        }
    }

    /// The median of the rounds' ratios.
    fn ratio(&self, peer: Peer, to: Peer, shape: Shape, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        let ratios = self.of(peer, shape).filter_map(|measured| {
            let other = self.of(to, shape).find(|other| other.round == measured.round)?;
            Some(figure(&measured.figures) / figure(&other.figures))
        });
        Summary::of(ratios).map(|summary| summary.median)
    }

    fn print_targets(&self) {
        let rows: Vec<String> = Peer::OURS
            .into_iter()
            .flat_map(|ours| TARGETS.into_iter().map(move |target| (ours, target)))
            .filter_map(|(ours, target)| {
                let ratio = self.ratio(ours, target.peer, target.shape, Measured::server_us)?;
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
            self.placement.name()
        );
        println!("{}", rows.join("\n"));
        if self.placement == Placement::Together {
            // On one core the rate says the same as the CPU of both sides.
            return;
        }
        for ours in Peer::OURS {
            if let Some(ratio) = self.ratio(ours, Peer::Tonic, MANY, Measured::rate) {
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

    fn print_validity(&self) -> bool {
        let shape = MANY.name;
        let Some(ratio) = self.ratio(Peer::Floor, Peer::Tonic, MANY, Measured::server_us) else {
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
}
