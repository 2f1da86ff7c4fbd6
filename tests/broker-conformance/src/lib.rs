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

mod cluster;
pub mod failing;
pub mod history;
pub mod keys;
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
/// It may be the same at each call: every test uses channels of its own.
///
/// # Panics
///
/// Where the contract is broken, with the sentence that is.
pub async fn conforms<B: Broker>(parameters: Parameters, make: impl AsyncFn(usize) -> Vec<B>) {
    let nodes = parameters.nodes.clamp(1, 2);
    order::all(&Cluster::start(make(nodes).await)).await;
    history::all(&Cluster::start(make(nodes).await)).await;
    retention::all(&Cluster::start(make(nodes).await)).await;
    keys::all(&Cluster::start(make(nodes).await)).await;
    presence::all(&Cluster::start(make(nodes).await)).await;
    sending::all(&Cluster::start(make(nodes).await)).await;
    let brokers = make(nodes).await.into_iter().map(failing::Failing::new).collect();
    failing::all(&Cluster::start(brokers)).await;
    if nodes > 1 {
        nodes::all(Cluster::start(make(nodes).await)).await;
    }
}
