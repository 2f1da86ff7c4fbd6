//! The ratios to reach, and the ratio that makes a run valid.

use crate::peers::Peer;
use crate::shape::{LARGE, MANY, ONE_BY_64, ONE_BY_ONE, Shape};

/// Server CPU per call of the project, at most `ratio` of the peer's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The load.
    pub(crate) shape: Shape,
    /// Compared with.
    pub(crate) peer: Peer,
    /// At most this part of the peer's figure.
    pub(crate) ratio: f64,
}

const fn target(shape: Shape, peer: Peer, ratio: f64) -> Target {
    Target { shape, peer, ratio }
}

/// All targets for server CPU per call.
pub(crate) const TARGETS: [Target; 13] = [
    target(ONE_BY_ONE, Peer::Floor, 1.10),
    target(ONE_BY_ONE, Peer::Tonic, 1.0 / 3.0),
    target(ONE_BY_64, Peer::Floor, 1.12),
    target(ONE_BY_64, Peer::Tonic, 1.0 / 16.0),
    target(ONE_BY_64, Peer::Jsonrpsee, 1.0 / 8.0),
    target(ONE_BY_64, Peer::Tarpc, 1.0 / 5.0),
    target(MANY, Peer::Floor, 1.12),
    target(MANY, Peer::Tonic, 1.0 / 13.0),
    target(MANY, Peer::Jsonrpsee, 1.0 / 6.5),
    target(MANY, Peer::Tarpc, 1.0 / 4.3),
    target(LARGE, Peer::Floor, 1.0),
    target(LARGE, Peer::Tonic, 1.0 / 3.0),
    target(LARGE, Peer::Axum, 1.0),
];

/// Calls per second at [`MANY`], at least this many times tonic's.
pub(crate) const RATE_OF_TONIC: f64 = 10.0;

/// At [`MANY`] the floor must cost less than this part of tonic; else the machine was too noisy.
pub(crate) const FLOOR_OF_TONIC: f64 = 1.0 / 12.0;
