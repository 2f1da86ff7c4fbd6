//! What the command line asks of a run.

use crate::peers::Peer;
use clap::Args;
use rpc_bench_measure::Placement;

/// What is measured, how often, how long.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Short rounds: shows that everything runs, not how fast.
    #[arg(long)]
    quick: bool,
    /// Rounds; in each, every peer is measured once [default: 5, with --quick 2].
    #[arg(long)]
    rounds: Option<usize>,
    /// Milliseconds measured per peer, load and round [default: 1000, with --quick 200].
    #[arg(long)]
    window_ms: Option<u64>,
    /// Only these peers.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// How many subscribers.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    pub(crate) subscribers: Vec<usize>,
    /// Events under way: 1 publishes one when the last has reached all.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16])]
    pub(crate) in_flight: Vec<u64>,
    /// Where the scheduler may put the two processes.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Placement::Apart, Placement::Together])]
    pub(crate) placement: Vec<Placement>,
}

impl Options {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1)
    }

    pub(crate) fn window_ms(&self) -> u64 {
        self.window_ms
            .unwrap_or(if self.quick { 200 } else { 1_000 })
            .max(10)
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        match self.peers.is_empty() {
            true => Peer::ALL.to_vec(),
            false => self.peers.clone(),
        }
    }
}
