use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", detached)]
pub struct Task {
    #[field(id, format = "uuid")]
    pub id: String,
    pub label: String,
}

fn main() {}
