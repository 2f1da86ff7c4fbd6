use rpc_runtime::contract;

#[contract(package = "task", reserved("label"), detached)]
pub struct Task {
    pub label: String,
}

fn main() {}
