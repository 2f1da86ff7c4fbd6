//- committed src/contracts.rs
use rpc_runtime::{Status, contract};

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn add(&self, task: Task) -> Result<Task, Status>;
}
//- src/contracts.rs
use rpc_runtime::{Status, contract};

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

#[contract(package = "task")]
pub trait Tasks {
    async fn add(&self, label: String) -> Result<Task, Status>;
}
