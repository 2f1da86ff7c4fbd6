use rpc_runtime::contract;

#[contract(package = "task", controller = "Task", detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
