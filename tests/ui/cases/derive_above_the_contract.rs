use rpc_runtime::contract;

#[derive(Clone)]
#[contract(package = "task", detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
