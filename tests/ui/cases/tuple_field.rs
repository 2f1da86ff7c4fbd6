use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub position: (i32, i32),
}

fn main() {}
