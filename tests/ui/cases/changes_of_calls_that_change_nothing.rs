use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", operations(get_all), changes = "tasks", detached)]
pub struct TasksContract {
    #[field(id)]
    pub id: String,
}

fn main() {}
