use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(min_items = 1)]
    pub label: String,
}

fn main() {}
