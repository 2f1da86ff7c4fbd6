//- committed src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub labels: Vec<String>,
}
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub labels: String,
}
