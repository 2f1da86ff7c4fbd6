use rpc_runtime::contract;

#[contract(package = "task", detached, evnt)]
pub struct Task {
    pub label: String,
}

fn main() {}
