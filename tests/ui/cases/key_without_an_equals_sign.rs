use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(min_len 3)]
    pub label: String,
}

fn main() {}
