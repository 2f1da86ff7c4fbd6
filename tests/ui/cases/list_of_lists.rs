use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub grid: Vec<Vec<i32>>,
}

fn main() {}
