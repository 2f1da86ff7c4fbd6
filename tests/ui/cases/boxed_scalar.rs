use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub size: Box<u64>,
}

fn main() {}
