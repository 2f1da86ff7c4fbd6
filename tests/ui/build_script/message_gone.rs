//- committed src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
    pub checked: bool,
}

#[contract(package = "task")]
pub struct Note {
    pub text: String,
}
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
    pub checked: bool,
}
