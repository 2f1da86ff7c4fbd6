use rpc_runtime::{Status, contract, rpc};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

#[rpc("task", detached)]
impl Tasks for TaskGateway {
    #[message("AddTaskRequest")]
    async fn add(&self, data: AddTaskRequest) -> Result<AddTaskRequest, Status> {
        Ok(data)
    }
}

pub trait Tasks {
    fn add(&self, data: AddTaskRequest) -> impl Future<Output = Result<AddTaskRequest, Status>>;
}

fn main() {}
