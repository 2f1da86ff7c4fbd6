use rpc_runtime::contract;

#[contract(package = "task", reserved(7..=5), detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
