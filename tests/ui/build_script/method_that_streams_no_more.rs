//- committed src/contracts.rs
use rpc_runtime::{Outgoing, Status, Streaming, contract};

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn follow(&self, input: Streaming<Task>, output: Outgoing<Task>) -> Result<(), Status>;
}
//- src/contracts.rs
use rpc_runtime::{Status, Streaming, contract};

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn follow(&self, input: Streaming<Task>) -> Result<Task, Status>;
}
