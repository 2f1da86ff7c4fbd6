//- committed src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub enum Priority {
    Low,
    High,
}
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub enum Priority {
    Low,
}
