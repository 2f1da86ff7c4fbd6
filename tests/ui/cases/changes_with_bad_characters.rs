use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", changes = "all tasks", detached)]
pub struct TasksContract {
    #[field(id)]
    pub id: String,
}

fn main() {}
