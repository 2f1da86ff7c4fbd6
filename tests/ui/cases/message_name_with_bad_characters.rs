use rpc_runtime::contract;

#[contract(package = "task", message = "task_list", detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
