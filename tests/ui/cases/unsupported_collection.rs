use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub labels: std::collections::HashSet<String>,
}

fn main() {}
