use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", changes = "tasks:{owner}", detached)]
pub struct TasksContract {
    #[field(id)]
    pub id: String,
    pub owner: String,
}

fn main() {}
