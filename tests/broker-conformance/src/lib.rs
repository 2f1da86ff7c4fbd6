//! The contract of a broker, as tests that any broker has to pass.
//!
//! The contract in words is that of [`rpc_runtime::hub::broker`]; each part of it is a module here, and each sentence that can be
//! broken a function. A broker's own tests run all of it:
//!
//! ```
//! use broker_conformance::{Parameters, conforms};
//! use rpc_runtime::hub::LocalBroker;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(
//! // In a test: `#[tokio::test(start_paused = true)]`. A broker over a network has a real clock.
//! conforms(Parameters { nodes: 1 }, async |nodes| {
//!     assert_eq!(nodes, 1, "a broker of one process has one node");
//!     vec![LocalBroker::default()]
//! })
//! # );
//! ```
//!
//! What a broker does beyond the contract is not looked at: a node may be given events of channels that it has not subscribed to.

pub mod bounds;
mod cluster;
pub mod failing;
pub mod history;
pub mod keys;
pub mod lost;
pub mod nodes;
pub mod order;
pub mod presence;
pub mod retention;
pub mod sending;

use rpc_runtime::hub::Broker;

pub use cluster::{Cluster, Given, NodeUnderTest};

/// What the suite has to know of a broker.
#[derive(Debug, Clone, Copy)]
pub struct Parameters {
    /// How many nodes one broker can serve, of which the suite uses two at most. With 1, what the contract says of several is not
    /// tested.
    pub nodes: usize,
}

/// Holds a broker to its contract.
///
/// `make` gives the brokers of so many nodes, which are one broker to their users: what is published on one is delivered to all.
/// It may be the same at each call, with all that it has kept, or another: every test uses channels of its own.
///
/// # Panics
///
/// Where the contract is broken, with the sentence that is.
pub async fn conforms<B: Broker>(parameters: Parameters, make: impl AsyncFn(usize) -> Vec<B>) {
    let nodes = parameters.nodes.clamp(1, 2);
    order::all(&Cluster::start(make(nodes).await)).await;
    history::all(&Cluster::start(make(nodes).await)).await;
    retention::all(&Cluster::start(make(nodes).await)).await;
    lost::all(nodes, &make).await;
    keys::all(&Cluster::start(make(nodes).await)).await;
    presence::all(&Cluster::start(make(nodes).await)).await;
    sending::all(&Cluster::start(make(nodes).await)).await;
    let brokers = make(nodes).await.into_iter().map(failing::Failing::new).collect();
    failing::all(&Cluster::start(brokers)).await;
    if nodes > 1 {
        nodes::all(Cluster::start(make(nodes).await)).await;
    }
}

/// What the suite has to know of a broker whose bounds it is to reach.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// As of [`Parameters`].
    pub nodes: usize,
    /// Whether what one user takes is bounded by itself.
    pub accounts: bool,
}

/// Holds a broker to what its contract says of bounds.
///
/// A broker has them where it likes. Those that `make` gives have them near, so that no more than 5,000 events, channels, or members in one
/// channel are taken; each time they are new, with nothing taken.
///
/// ```
/// use broker_conformance::{Bounds, conforms_at_bounds};
/// use rpc_runtime::hub::LocalBroker;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(
/// conforms_at_bounds(Bounds { nodes: 1, accounts: true }, async |_| {
///     let broker = LocalBroker::default().most_channels(100).most_history_bytes(256 << 10);
///     vec![broker.most_of_one_account(20, 64 << 10)]
/// })
/// # );
/// ```
///
/// # Panics
///
/// Where the contract is broken, with the sentence that is.
pub async fn conforms_at_bounds<B: Broker>(bounds: Bounds, make: impl AsyncFn(usize) -> Vec<B>) {
    bounds::all(bounds, &make).await;
}
