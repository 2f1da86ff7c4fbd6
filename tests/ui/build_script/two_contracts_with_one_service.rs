//- src/contracts.rs
use rpc_runtime::contract;

#[contract(package = "task", controller = "Task")]
pub struct Task {
    #[field(id)]
    pub id: String,
}

#[contract(package = "task")]
pub trait TaskService {
    async fn ping(&self) -> Result<(), rpc_runtime::Status>;
}
