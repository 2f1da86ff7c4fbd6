//- committed src/contracts.rs
use rpc_runtime::{Context, Status, contract};

#[contract(package = "library", controller = "Book")]
pub struct Book {
    #[field(id)]
    pub id: String,
    pub title: String,
}

#[contract(package = "library")]
pub struct SearchRequest {
    pub words: String,
}

#[contract(package = "library")]
pub struct FindRequest {
    pub words: String,
}

#[contract(package = "library")]
pub struct SearchResponse {
    pub books: Vec<Book>,
}

#[contract(package = "library")]
pub trait Search {
    async fn search(&self, cx: &Context, request: SearchRequest) -> Result<SearchResponse, Status>;
}
//- committed src/lib.rs
pub mod contracts;

use contracts::{SearchRequest, Search, SearchResponse};
use rpc_runtime::{Context, Status};

rpc_runtime::include_gateway!("library");

pub struct Shelf;

impl Search for Shelf {
    async fn search(&self, _: &Context, _: SearchRequest) -> Result<SearchResponse, Status> {
        Err(Status::not_found("nothing"))
    }
}

pub fn serve() -> SearchGateway<Shelf> {
    SearchGateway::new(Shelf)
}
//- src/contracts.rs
use rpc_runtime::{Context, Status, contract};

#[contract(package = "library", controller = "Book")]
pub struct Book {
    #[field(id)]
    pub id: String,
    pub title: String,
    pub size: usize,
}

#[contract(package = "library")]
pub struct SearchRequest {
    pub words: String,
}

#[contract(package = "library")]
pub struct FindRequest {
    pub words: String,
}

#[contract(package = "library")]
pub struct SearchResponse {
    pub books: Vec<Book>,
}

#[contract(package = "library")]
pub trait Search {
    async fn find(&self, cx: &Context, request: FindRequest) -> Result<SearchResponse, Status>;
}
//- src/lib.rs
pub mod contracts;

use contracts::{FindRequest, Search, SearchResponse};
use rpc_runtime::{Context, Status};

rpc_runtime::include_gateway!("library");

pub struct Shelf;

impl Search for Shelf {
    async fn find(&self, _: &Context, _: FindRequest) -> Result<SearchResponse, Status> {
        Err(Status::not_found("nothing"))
    }
}

pub fn serve() -> SearchGateway<Shelf> {
    SearchGateway::new(Shelf)
}
