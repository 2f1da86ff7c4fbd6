//- committed src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "library", controller = "Book")]
pub struct Book {
    #[field(id)]
    pub id: String,
    pub title: String,
    pub author: String,
    pub pages: u32,
    pub copies: u32,
}
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "library", controller = "Book")]
pub struct Book {
    #[field(id)]
    pub id: String,
    pub author: String,
    pub pages: u32,
    pub copies: u32,
}
