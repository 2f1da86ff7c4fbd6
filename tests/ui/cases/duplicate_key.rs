use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(min_len = 1, min_len = 2)]
    pub label: String,
}

fn main() {}
