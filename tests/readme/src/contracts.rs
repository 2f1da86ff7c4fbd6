//! What clients and servers agree on.

use rpc_runtime::{Context, Status, contract};

/// A book on a shelf.
#[contract(package = "library", controller = "Book")]
pub struct Book {
    /// Assigned by the service.
    #[field(id)]
    pub id: String,
    /// As printed on the cover.
    #[field(unique, min_len = 1, max_len = 200)]
    pub title: String,
    /// How many there are.
    #[field(default = 1, range = 0..=1000)]
    pub copies: u32,
}

/// Words to look for.
#[contract(package = "library")]
pub struct SearchRequest {
    /// Part of a title, in any case.
    #[field(min_len = 1)]
    pub words: String,
}

/// What was found.
#[contract(package = "library")]
pub struct SearchResponse {
    /// In the order in which they were added.
    pub books: Vec<Book>,
}

/// Finds books.
#[contract(package = "library")]
pub trait Search {
    /// Finds books by their title.
    #[message(idempotent, deadline = "2s")]
    async fn search(&self, cx: &Context, request: SearchRequest) -> Result<SearchResponse, Status>;
}
