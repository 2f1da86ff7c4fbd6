use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub label: std::sync::Arc<String>,
}

fn main() {}
