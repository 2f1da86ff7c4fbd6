use rpc_runtime::contract;

#[contract(package = "task", removed("task.Note"), detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
