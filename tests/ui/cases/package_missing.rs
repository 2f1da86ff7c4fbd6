use rpc_runtime::contract;

#[contract(detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
