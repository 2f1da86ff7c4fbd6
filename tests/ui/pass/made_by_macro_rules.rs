//! Contracts, traits and gateways that a `macro_rules!` writes.

use rpc_runtime::{Context, Contract, Status, contract, rpc};

macro_rules! page {
    ($name:ident, $item:ty, $field:ident, $package:literal) => {
        #[contract(package = $package, detached)]
        pub struct $name {
            pub $field: $item,
            pub next: Option<$item>,
            pub all: Vec<$item>,
        }
    };
}

page!(Names, String, first, "pages");
page!(Books, Book, top, "pages");

#[contract(package = "pages", detached)]
pub struct Book {
    pub title: String,
}

macro_rules! service {
    ($trait:ident, $gateway:ident, $method:ident, $request:ty, $response:ty) => {
        #[contract(package = "pages", detached)]
        pub trait $trait {
            async fn $method(&self, cx: &Context, request: $request) -> Result<$response, Status>;
        }

        pub struct $gateway;

        #[rpc("pages", detached)]
        impl $gateway {
            #[message(name = "Made")]
            async fn $method(&self, cx: &Context, request: $request) -> Result<$response, Status> {
                let _ = (cx, request);
                Ok(Default::default())
            }
        }
    };
}

service!(Shelf, ShelfGateway, find, Book, Names);

fn main() {
    assert_eq!(Books::descriptor().fields[0].name, "top");
    let _ = (Names::default(), ShelfGateway);
}
