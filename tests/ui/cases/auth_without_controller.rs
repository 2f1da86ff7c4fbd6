use rpc_runtime::contract;

#[contract(package = "task", auth, detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
