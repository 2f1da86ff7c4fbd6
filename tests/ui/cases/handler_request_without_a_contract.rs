use rpc_runtime::{Status, contract, rpc};

#[contract(package = "task", detached)]
pub struct AddTaskRequest {
    pub label: String,
}

pub struct TaskGateway;

#[rpc("task", detached)]
impl TaskGateway {
    #[message(method = "Add")]
    async fn add(&self, data: Raw) -> Result<(), Status> {
        let _ = data;
        Ok(())
    }
}

pub struct Raw(pub Vec<u8>);

fn main() {}
