//- src/lib.rs
pub mod contracts;
pub mod notes;
//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}
//- src/notes.rs
use rpc_runtime::contract;

#[contract(package = "notes")]
pub struct Note {
    pub text: String,
}
