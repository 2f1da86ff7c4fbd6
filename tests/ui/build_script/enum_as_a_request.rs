//- src/contracts.rs
use rpc_runtime::{Status, contract};

#[contract(package = "task")]
pub enum Priority {
    Low,
    High,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn find(&self, priority: Priority) -> Result<(), Status>;
}
