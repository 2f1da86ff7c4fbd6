use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(min_len = 20, max_len = 10)]
    pub label: String,
}

fn main() {}
