use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub labels: Vec<Option<String>>,
}

fn main() {}
