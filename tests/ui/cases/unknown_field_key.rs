use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    #[field(uniqe)]
    pub label: String,
}

fn main() {}
