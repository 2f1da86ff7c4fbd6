use rpc_runtime::{contract, rpc};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

#[rpc("task", detached)]
impl TaskGateway {
    pub fn new() -> Self {
        Self
    }
}

fn main() {}
