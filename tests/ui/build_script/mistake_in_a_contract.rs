//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    #[field(uniqe)]
    pub label: String,
    pub size: usize,
}
