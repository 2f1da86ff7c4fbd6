//- src/contracts.rs
use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "task")]
pub enum Priority {
    Low,
    High,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn count(&self, priorities: Streaming<Priority>) -> Result<u32, Status>;
}
