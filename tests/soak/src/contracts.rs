//! A service with methods of every kind, and one that tells how the server does.

use futures_util::Stream;
use rpc_runtime::{Outgoing, Status, Streaming, bytes::Bytes, contract};

/// Some bytes with a number.
#[contract(package = "soak")]
pub struct Blob {
    /// Which of several it is.
    pub number: u64,
    /// The bytes.
    pub body: Bytes,
}

/// What a stream of blobs is to look like.
#[contract(package = "soak")]
pub struct CountRequest {
    /// How many there are.
    #[field(range = 0..=10_000)]
    pub blobs: u64,
    /// How many bytes each has.
    #[field(range = 0..=100_000)]
    pub bytes: u64,
}

/// What came in.
#[contract(package = "soak")]
pub struct Summary {
    /// How many blobs.
    pub blobs: u64,
    /// How many bytes they had together.
    pub bytes: u64,
}

/// How the server does.
#[contract(package = "soak")]
pub struct Health {
    /// Tasks of its runtime.
    pub tasks: u64,
    /// Clients that are connected.
    pub connections: u64,
    /// Calls that were begun and are not over, this one left out.
    pub running: u64,
}

/// One method of each kind, and more.
#[contract(package = "soak")]
pub trait Soak {
    /// Gives back what it is given.
    async fn echo(&self, request: Blob) -> Result<Blob, Status>;

    /// The same on a task of its own.
    #[message(spawn)]
    async fn echo_apart(&self, request: Blob) -> Result<Blob, Status>;

    /// Takes something, and nobody hears of it again.
    #[message(one_way)]
    async fn note(&self, request: Blob) -> Result<(), Status>;

    /// Waits until it is cancelled.
    #[message(deadline = "20s")]
    async fn sleep(&self) -> Result<(), Status>;

    /// Counts from 0.
    async fn count(&self, request: CountRequest) -> Result<impl Stream<Item = Result<Blob, Status>>, Status>;

    /// Adds up.
    async fn sum(&self, requests: Streaming<Blob>) -> Result<Summary, Status>;

    /// Gives back each blob as it comes.
    async fn chat(
        &self,
        requests: Streaming<Blob>,
    ) -> Result<impl Stream<Item = Result<Blob, Status>>, Status>;

    /// The same, for as long as it runs.
    async fn session(&self, input: Streaming<Blob>, output: Outgoing<Blob>) -> Result<(), Status>;

    /// How the server does.
    async fn health(&self) -> Result<Health, Status>;
}
