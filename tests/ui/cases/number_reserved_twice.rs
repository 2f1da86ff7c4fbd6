use rpc_runtime::contract;

#[contract(package = "task", reserved(2, 1..=5), detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
