use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(max_len)]
    pub label: String,
}

fn main() {}
