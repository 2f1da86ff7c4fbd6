use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub labels: Option<Vec<String>>,
}

fn main() {}
