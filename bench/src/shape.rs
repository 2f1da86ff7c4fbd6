//! The four loads: how many connections, how many calls in flight on each, and how long the label is. And how a client process is told.

use crate::results::Column;
use clap::Args;

/// The label that makes a task of 70 bytes: key and length take two.
pub(crate) const SMALL_LABEL: usize = 68;

/// One load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(crate) struct Shape {
    /// What the tables call it.
    #[arg(skip = "given")]
    pub(crate) name: &'static str,
    /// Connections of the one client process.
    #[arg(long)]
    pub(crate) connections: usize,
    /// Calls in flight on each connection: a new one is sent as soon as one is answered.
    #[arg(long)]
    pub(crate) in_flight: usize,
    /// Bytes of the task's label.
    #[arg(long)]
    pub(crate) label: usize,
}

impl Shape {
    /// What says it on the command line.
    pub(crate) fn arguments(self) -> [(&'static str, String); 3] {
        [
            ("--connections", self.connections.to_string()),
            ("--in-flight", self.in_flight.to_string()),
            ("--label", self.label.to_string()),
        ]
    }
}

impl Column for Shape {
    fn name(self) -> &'static str {
        self.name
    }
}

/// One call after the other: the scheduler's figure more than the program's.
pub(crate) const ONE_BY_ONE: Shape = Shape {
    name: "1 x 1",
    connections: 1,
    in_flight: 1,
    label: SMALL_LABEL,
};
/// One busy connection.
pub(crate) const ONE_BY_64: Shape = Shape {
    name: "1 x 64",
    connections: 1,
    in_flight: 64,
    label: SMALL_LABEL,
};
/// Several busy connections.
pub(crate) const MANY: Shape = Shape {
    name: "32 x 8",
    connections: 32,
    in_flight: 8,
    label: SMALL_LABEL,
};
/// Large messages.
pub(crate) const LARGE: Shape = Shape {
    name: "64 KiB x 4",
    connections: 1,
    in_flight: 4,
    label: 64 * 1024,
};

/// All loads, in the order of the tables.
pub(crate) const ALL: [Shape; 4] = [ONE_BY_ONE, ONE_BY_64, MANY, LARGE];
