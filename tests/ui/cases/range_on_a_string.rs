use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(range = 1..=10)]
    pub label: String,
}

fn main() {}
