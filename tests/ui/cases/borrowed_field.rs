use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub label: &'static str,
}

fn main() {}
