use rpc_runtime::{Status, contract, rpc};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

#[rpc("task", detached)]
impl TaskGateway {
    #[message("AddTaskRequest")]
    fn add(&self, data: AddTaskRequest) -> Result<AddTaskRequest, Status> {
        Ok(data)
    }
}

fn main() {}
