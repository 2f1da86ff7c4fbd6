use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(unique = "yes")]
    pub label: String,
}

fn main() {}
