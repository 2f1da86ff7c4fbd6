use rpc_runtime::contract;

#[contract(package = "task", detached)]
pub struct Task {
    pub place: Plce,
}

fn main() {}
