use rpc_runtime::contract;

#[contract(package = "task")]
pub struct Task {
    pub label: String,
}

fn main() {}
