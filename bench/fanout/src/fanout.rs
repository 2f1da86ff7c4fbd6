//! Fan-out: rounds in which every peer is measured once, and the tables that are made of them.

use crate::listen::Measured;
use crate::loaded::Server;
use crate::options::Options;
use crate::peers::Peer;
use rpc_bench_measure::{Placement, Summary};
use std::time::Duration;

/// Server CPU for a delivery, of the floor's: at most.
const OF_FLOOR: f64 = 1.1;
/// Deliveries per second, of axum's: at least.
const OF_AXUM: f64 = 3.5;
/// What subscribers may take to connect, and to end.
const GRACE: Duration = Duration::from_secs(120);

/// One load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    placement: Placement,
    subscribers: usize,
    in_flight: u64,
}

struct Measurement {
    round: usize,
    shape: Shape,
    peer: Peer,
    figures: Measured,
}

/// Measures, and prints the tables.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut shapes = Vec::new();
    for &placement in &options.placement {
        for &subscribers in &options.subscribers {
            for &in_flight in &options.in_flight {
                shapes.push(Shape {
                    placement,
                    subscribers,
                    in_flight,
                });
            }
        }
    }
    let mut all = Vec::new();
    for round in 0..options.rounds() {
        for &shape in &shapes {
            // One peer after the other, so that what a ratio compares is seconds apart.
            for peer in options.peers() {
                let figures = measure(peer, shape, options).map_err(|error| {
                    format!("{} with {} subscribers: {error}", peer.title(), shape.subscribers)
                })?;
                all.push(Measurement {
                    round,
                    shape,
                    peer,
                    figures,
                });
            }
        }
        eprintln!("round {} of {}", round + 1, options.rounds());
    }
    for &shape in &shapes {
        Table { all: &all, shape }.print(&options.peers());
    }
    Ok(())
}

fn measure(peer: Peer, shape: Shape, options: &Options) -> Result<Measured, String> {
    let subscribers = shape.subscribers.to_string();
    let placed = [
        "--subscribers",
        &subscribers,
        "--placement",
        shape.placement.name(),
    ];
    let server = Server::start(peer, &placed)?;
    let (in_flight, window) = (shape.in_flight.to_string(), options.window_ms().to_string());
    let load = [
        "listen",
        peer.name(),
        "--in-flight",
        &in_flight,
        "--window-ms",
        &window,
    ];
    let mut listeners = server.load(&[&load[..], &placed[..]].concat())?;
    let measured = listeners.answer()?;
    listeners.finish(GRACE)?;
    Ok(measured)
}

/// What was measured at one load.
struct Table<'a> {
    all: &'a [Measurement],
    shape: Shape,
}

impl Table<'_> {
    fn of(&self, peer: Peer) -> impl Iterator<Item = &Measurement> {
        self.all
            .iter()
            .filter(move |one| one.shape == self.shape && one.peer == peer)
    }

    fn median(&self, peer: Peer, figure: impl Fn(&Measured) -> f64) -> Option<Summary> {
        Summary::of(self.of(peer).map(|one| figure(&one.figures)))
    }

    /// The median of the rounds' ratios.
    fn ratio(&self, peer: Peer, to: Peer, figure: impl Fn(&Measured) -> f64) -> Option<f64> {
        let ratios = self.of(peer).filter_map(|one| {
            let other = self.of(to).find(|other| other.round == one.round)?;
            Some(figure(&one.figures) / figure(&other.figures))
        });
        Summary::of(ratios).map(|summary| summary.median)
    }

    fn print(&self, peers: &[Peer]) {
        let Shape {
            placement,
            subscribers,
            in_flight,
        } = self.shape;
        println!(
            "\n## {subscribers} subscribers, {in_flight} under way, {}: medians\n",
            placement.name()
        );
        println!(
            "| | server CPU per delivery, us (least to most) | of the floor's | deliveries/s, thousands | of axum's | \
             delivery p50, ms | p99, ms | client CPU, us |"
        );
        println!("|---|---:|---:|---:|---:|---:|---:|---:|");
        for &peer in peers {
            let median =
                |figure: fn(&Measured) -> f64| self.median(peer, figure).map_or(f64::NAN, |s| s.median);
            let ratio = |to: Peer, figure: fn(&Measured) -> f64| match self.ratio(peer, to, figure) {
                Some(ratio) if peer != to => format!("{ratio:.2}"),
                _ => String::new(),
            };
            let Some(cpu) = self.median(peer, Measured::server_us) else {
                continue;
            };
            println!(
                "| {} | {:.2} ({:.2} to {:.2}) | {} | {:.0} | {} | {:.2} | {:.2} | {:.2} |",
                peer.title(),
                cpu.median,
                cpu.least,
                cpu.most,
                ratio(Peer::Floor, Measured::server_us),
                median(Measured::rate) / 1_000.0,
                ratio(Peer::Axum, Measured::rate),
                median(Measured::p50_ms),
                median(Measured::p99_ms),
                median(Measured::client_us),
            );
        }
        self.print_targets(peers);
    }

    fn print_targets(&self, peers: &[Peer]) {
        let verdict = |reached: bool| if reached { "reached" } else { "missed" };
        println!();
        for &ours in peers.iter().filter(|peer| Peer::HUB.contains(peer)) {
            if let Some(ratio) = self.ratio(ours, Peer::Floor, Measured::server_us) {
                println!(
                    "{}: {ratio:.3} of the floor's server CPU per delivery, target {OF_FLOOR}: {}",
                    ours.title(),
                    verdict(ratio <= OF_FLOOR)
                );
            }
            // On one core the rate says the same as the CPU of both sides.
            if let Some(ratio) = self.ratio(ours, Peer::Axum, Measured::rate)
                && self.shape.placement != Placement::Together
            {
                println!(
                    "{}: {ratio:.2} of axum's deliveries per second, target {OF_AXUM}: {}",
                    ours.title(),
                    verdict(ratio >= OF_AXUM)
                );
            }
        }
    }
}
