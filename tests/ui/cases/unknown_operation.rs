use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", operations(add, remove), detached)]
pub struct Task {
    #[field(id)]
    pub id: String,
}

fn main() {}
