use rpc_runtime::contract;

#[contract(package = "task", controller = "task-list", message = "Task", detached)]
pub struct Task {
    #[field(id)]
    pub id: String,
}

fn main() {}
