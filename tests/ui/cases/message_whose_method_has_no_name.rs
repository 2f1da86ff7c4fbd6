use rpc_runtime::{Status, contract, rpc};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

#[rpc("task", detached)]
impl TaskGateway {
    #[message("NewTask")]
    async fn add(&self, data: NewTask) -> Result<(), Status> {
        let _ = data;
        Ok(())
    }
}

#[contract(package = "task", detached)]
pub struct NewTask {
    pub label: String,
}

fn main() {}
