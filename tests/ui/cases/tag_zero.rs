use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(tag = 0)]
    pub label: String,
}

fn main() {}
