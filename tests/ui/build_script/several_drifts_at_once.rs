//- committed src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
    pub size: i64,
    pub done: bool,
}
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: Vec<String>,
    pub size: String,
}
