use rpc_runtime::contract;

#[contract(package = "Task-List", detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
