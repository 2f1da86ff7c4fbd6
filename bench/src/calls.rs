//! The main table: server CPU per call and calls per second, in interleaved rounds.

use crate::Options;
use crate::child::Server;
use crate::load::Measured;
use crate::peers::Peer;
use crate::shape::{MANY, Shape};
use crate::statistics::Summary;
use crate::targets::{FLOOR_OF_TONIC, RATE_OF_TONIC, TARGETS};

/// Every measurement of a run.
struct Results {
    peers: Vec<Peer>,
    shapes: Vec<Shape>,
    measured: Vec<(usize, Peer, Shape, Measured)>,
}

/// Measures, prints the tables, and says whether the run is valid.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let mut results = Results {
        peers: options.peers(),
        shapes: options.shapes(),
        measured: Vec::new(),
    };
    let rounds = options.rounds();
    for round in 0..rounds {
        for shape in results.shapes.clone() {
            for peer in results.peers.clone() {
                let server = Server::start(peer, options)?;
                let measured = server
                    .load(peer, shape, options.window())
                    .map_err(|error| format!("{} at {}: {error}", peer.name(), shape.name))?;
                results.measured.push((round, peer, shape, measured));
            }
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    results.print_table("Server CPU per call (microseconds)", 2, Measured::server_us);
    results.print_table("Calls per second (thousands)", 0, |measured| {
        measured.rate() / 1_000.0
    });
    results.print_table("Client CPU per call (microseconds)", 2, Measured::client_us);
    results.print_targets();
    Ok(results.print_validity())
}

impl Results {
    fn of(&self, peer: Peer, shape: Shape) -> impl Iterator<Item = &(usize, Peer, Shape, Measured)> {
        self.measured
            .iter()
            .filter(move |(_, of, at, _)| *of == peer && *at == shape)
    }

    fn print_table(&self, title: &str, digits: usize, figure: impl Fn(&Measured) -> f64) {
        println!("\n## {title}: median (least to most)\n");
        let names: Vec<&str> = self.shapes.iter().map(|shape| shape.name).collect();
        println!(
            "| peer | {} |\n|---|{}",
            names.join(" | "),
            "---:|".repeat(names.len())
        );
        for &peer in &self.peers {
            let cells = self.shapes.iter().map(|&shape| {
                let figures = self.of(peer, shape).map(|(_, _, _, measured)| figure(measured));
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

    /// The median of the ratios of the rounds: both figures of a ratio were taken within seconds of each other.
    fn ratio(&self, peer: Peer, to: Peer, shape: Shape, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        let ratios = self.of(peer, shape).filter_map(|(round, _, _, measured)| {
            let (_, _, _, other) = self.of(to, shape).find(|(at, ..)| at == round)?;
            Some(figure(measured) / figure(other))
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
                Some(format!(
                    "| {} | {} | {} | {ratio:.3} | {:.3} | {verdict} |",
                    target.shape.name,
                    ours.title(),
                    target.peer.title(),
                    target.ratio
                ))
            })
            .collect();
        if rows.is_empty() {
            return;
        }
        println!("\n## Ratios of server CPU per call (median of the rounds' ratios)\n");
        println!(
            "| shape | | to | ratio | target | |\n|---|---|---|---:|---:|---|\n{}",
            rows.join("\n")
        );
        for ours in Peer::OURS {
            if let Some(ratio) = self.ratio(ours, Peer::Tonic, MANY, Measured::rate) {
                let verdict = if ratio >= RATE_OF_TONIC {
                    "reached"
                } else {
                    "missed"
                };
                println!(
                    "\n{}: calls per second at {} are {ratio:.1} times tonic's, target {RATE_OF_TONIC}: {verdict}",
                    ours.title(),
                    MANY.name
                );
            }
        }
    }

    fn print_validity(&self) -> bool {
        let Some(ratio) = self.ratio(Peer::Floor, Peer::Tonic, MANY, Measured::server_us) else {
            println!(
                "\nNot checked for validity: floor and tonic at {} were not both measured.",
                MANY.name
            );
            return true;
        };
        let valid = ratio < FLOOR_OF_TONIC;
        println!(
            "\nThe run is {}: at {} the floor costs 1/{:.1} of tonic, and must cost less than 1/{:.0}.",
            if valid {
                "valid"
            } else {
                "INVALID (the machine was too noisy)"
            },
            MANY.name,
            1.0 / ratio,
            1.0 / FLOOR_OF_TONIC
        );
        valid
    }
}
