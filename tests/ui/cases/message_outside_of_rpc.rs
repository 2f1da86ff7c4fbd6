use rpc_runtime::{Status, contract, message};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

impl TaskGateway {
    #[message("AddTaskRequest")]
    async fn add(&self, data: AddTaskRequest) -> Result<AddTaskRequest, Status> {
        Ok(data)
    }
}

fn main() {}
