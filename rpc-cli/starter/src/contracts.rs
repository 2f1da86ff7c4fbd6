//! What the server and its clients agree on. The docs and the rules go into `protos/`, for clients in every language.

use futures_util::Stream;
use rpc_runtime::{Context, Status, contract};

/// What a guest writes.
#[contract(package = "crate_name")]
pub struct SignRequest {
    /// Who writes it.
    #[field(min_len = 1, max_len = 40)]
    pub name: String,
    /// What is written.
    #[field(min_len = 1, max_len = 500)]
    pub text: String,
}

/// What stands in the book. Who subscribes to the channel `entries` is told of each as it is written.
#[contract(package = "crate_name", event, channels = "entries")]
pub struct Entry {
    /// Counts up from 1.
    pub number: u64,
    /// Who wrote it.
    pub name: String,
    /// What was written.
    pub text: String,
}

/// A book for guests to sign.
#[contract(package = "crate_name")]
pub trait GuestBook {
    /// Writes an entry.
    async fn sign(&self, cx: &Context, request: SignRequest) -> Result<Entry, Status>;

    /// Reads all entries, the oldest first.
    #[message(idempotent)]
    async fn read(&self) -> Result<impl Stream<Item = Result<Entry, Status>>, Status>;
}
