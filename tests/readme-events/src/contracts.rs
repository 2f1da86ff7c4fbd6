//! What readers of a library do and hear.

use rpc_runtime::{Context, Status, contract};

/// A book is back on its shelf.
#[contract(package = "shelves", event, channels = "shelf:{name}")]
pub struct BookReturned {
    /// What it is called.
    pub title: String,
}

/// Takes books back.
#[contract(package = "shelves", auth)]
pub trait Returns {
    /// Puts a book back on the shelf of novels.
    async fn give_back(&self, cx: &Context, title: String) -> Result<(), Status>;
}
