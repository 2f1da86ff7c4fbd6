use rpc_runtime::contract;

#[contract(package = "task", reserved(0), detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
