//! What the command line asks of a run: how long, which peers, and where the processes may run.

use crate::peers::{self, Peer};
use crate::shape;
use crate::streams::{self, StreamPeer, StreamShape};
use clap::Args;
use rpc_bench_measure::Placement;
use std::time::Duration;

/// What a whole run takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Short rounds: shows that everything runs, not how fast.
    #[arg(long, global = true)]
    pub(crate) quick: bool,
    /// Rounds; in each, every peer is measured once [default: 5, with --quick 2].
    #[arg(long, global = true)]
    rounds: Option<usize>,
    /// Milliseconds measured per peer, shape and round [default: 1000, with --quick 200].
    #[arg(long, global = true)]
    window_ms: Option<u64>,
    /// Only these peers of the calls and of the memory figures.
    #[arg(long, global = true, value_delimiter = ',')]
    peers: Vec<Peer>,
    /// Only these peers of the streams.
    #[arg(long, global = true, value_delimiter = ',')]
    stream_peers: Vec<StreamPeer>,
    /// Only shapes whose name contains one of these.
    #[arg(long, global = true, value_delimiter = ',')]
    shapes: Vec<String>,
    /// Connections that are held for the memory figures [default: 2000, with --quick 500].
    #[arg(long, global = true)]
    held: Option<usize>,
    /// Bytes that the floor asks a socket for at once.
    #[arg(long, global = true, default_value_t = peers::websocket::READ_BUFFER)]
    pub(crate) read_buffer: usize,
    /// Where the scheduler may put the two processes [default: apart, then together; of fairness, apart].
    #[arg(long, global = true, value_enum, value_delimiter = ',')]
    placement: Vec<Placement>,
}

impl Options {
    pub(crate) fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 2 } else { 5 }).max(1)
    }

    pub(crate) fn window(&self) -> Duration {
        Duration::from_millis(
            self.window_ms
                .unwrap_or(if self.quick { 200 } else { 1000 })
                .max(10),
        )
    }

    pub(crate) fn warm_up(&self) -> Duration {
        self.window() / 3
    }

    pub(crate) fn peers(&self) -> Vec<Peer> {
        if self.peers.is_empty() {
            Peer::ALL.to_vec()
        } else {
            self.peers.clone()
        }
    }

    pub(crate) fn shapes(&self) -> Vec<shape::Shape> {
        shape::ALL
            .into_iter()
            .filter(|shape| self.wants(shape.name))
            .collect()
    }

    pub(crate) fn stream_peers(&self) -> Vec<StreamPeer> {
        if self.stream_peers.is_empty() {
            StreamPeer::ALL.to_vec()
        } else {
            self.stream_peers.clone()
        }
    }

    pub(crate) fn stream_shapes(&self) -> Vec<StreamShape> {
        streams::shapes()
            .into_iter()
            .filter(|shape| self.wants(shape.name))
            .collect()
    }

    fn wants(&self, name: &str) -> bool {
        self.shapes.is_empty() || self.shapes.iter().any(|part| name.contains(part.as_str()))
    }

    pub(crate) fn placements(&self) -> Vec<Placement> {
        self.placements_or(&[Placement::Apart, Placement::Together])
    }

    /// The placements that were asked for, or these.
    pub(crate) fn placements_or(&self, default: &[Placement]) -> Vec<Placement> {
        if self.placement.is_empty() {
            default.to_vec()
        } else {
            self.placement.clone()
        }
    }

    /// The one placement of a server or client process.
    pub(crate) fn placed(&self) -> Placement {
        self.placement.first().copied().unwrap_or(Placement::Free)
    }

    pub(crate) fn held(&self) -> usize {
        self.held.unwrap_or(if self.quick { 500 } else { 2000 }).max(1)
    }
}
